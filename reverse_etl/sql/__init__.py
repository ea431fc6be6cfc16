"""Every statement of the diff and the state, as pure functions of a dialect.

Read in the order that the rows go: `staging` (a model's rows, checked; `identifiers`, in canonical form), `clashes` (rows that
can't all be right), `diff` (what changed; `retype`, where a column's type did; `claimed`, what another row has at Klaviyo),
`deltas` (what is to be sent), `takeover` (what was proved goes into the snapshot), `rejections`, `ledger` (runs, receipts, lists,
lease) and `schema` (the tables they live in). Beneath lie `shape` (what the statements of one model know of it) and `text` (a
statement as a value, in a dialect).
"""
