-- keep_back 1
DELETE FROM temp.planned_vip_0a1b2c3d WHERE retl_list_id IN (?, ?) AND retl_op IN ('add', 'update');
-- with ('L1', 'L2')
UPDATE temp.planned_vip_0a1b2c3d SET retl_op = 'deferred' WHERE retl_list_id IN (?, ?) AND retl_op = 'remove';
-- with ('L1', 'L2')
