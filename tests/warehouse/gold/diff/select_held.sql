-- select_held 1
SELECT retl_list_id, retl_identity FROM temp.planned_vip_0a1b2c3d WHERE retl_op = 'held' AND retl_identity IN (?);
-- with ('email:ann@example.com',)
