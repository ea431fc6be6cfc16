"""Send a plan's deltas and determine the outcome of each row.

The steps for a list, in order: `submit_imports` sends its upserts, `poll_jobs` follows their jobs,
`resolve_removals` decides which leaving rows may be removed, `remove_members` removes them.
"""
