"""Send a plan's deltas and determine the outcome of each row.

`deliver_model` goes through the lists of a model. It gives the upserts of a list to the room that has the
operation of its surface, for example `imports`, and then its removes, for example to `members`.
"""
