-- defer_lists 1
UPDATE temp.planned_vip_0a1b2c3d SET retl_op = 'deferred' WHERE retl_list_id IN (?, ?);
-- with ('L1', 'L2')
