"""Send a plan's deltas and determine the outcome of each row.

`deliver_model` goes through the lists of a model. It sends the upserts of a list with the operation of its
surface: `submit_imports` and `poll_jobs`, `add_members`, or `send_requests`. Then it sends the removes:
`resolve_removals` decides which leaving rows may be removed, and `remove_members` removes them.
"""
