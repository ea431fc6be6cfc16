"""Delivery: send a plan's deltas and settle what came of each row.

In the order of a list: `submit_imports` its upserts, `settle` their jobs, `resolve` who the leaving rows are,
`remove` them.
"""
