-- select_planned 1
SELECT retl_list_id, retl_identity, retl_op FROM temp.planned_vip_0a1b2c3d
WHERE retl_identity IN (?, ?) ORDER BY 1, 2, 3;
-- with ('email:ann@example.com', 'external_id:17')
