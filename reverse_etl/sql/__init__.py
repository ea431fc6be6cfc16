"""Every statement of the diff and the state, as pure functions of a dialect.

Read in the order that the rows go: `staging` (a model's rows, canonical and checked), `diff` (what changed), `takeover` (what was
proved goes into the snapshot), `ledger` (runs, receipts, rejections, lists, lease) and `schema` (the tables they live in).
"""
