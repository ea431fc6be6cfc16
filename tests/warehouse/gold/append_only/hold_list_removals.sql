-- hold_list_removals 1
UPDATE temp.planned_codes_8c9d0e1f SET retl_op = 'held' WHERE retl_op = 'remove' AND retl_list_id IN (?, ?);
-- with ('L1', 'L2')
