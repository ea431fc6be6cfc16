-- select_known 1
SELECT retl_identity FROM state.snapshot_vip_0a1b2c3d WHERE retl_identity IN (?) UNION SELECT retl_identity FROM state.deltas_vip_0a1b2c3d WHERE retl_identity IN (?) UNION SELECT retl_identity FROM state.rejected_vip_0a1b2c3d WHERE retl_identity IN (?);
-- with ('email:a@example.com', 'email:a@example.com', 'email:a@example.com')

-- select_known 2
SELECT retl_identity FROM state.snapshot_vip_0a1b2c3d WHERE retl_identity IN (?) AND retl_list_id = ? UNION SELECT retl_identity FROM state.deltas_vip_0a1b2c3d WHERE retl_identity IN (?) AND retl_list_id = ? UNION SELECT retl_identity FROM state.rejected_vip_0a1b2c3d WHERE retl_identity IN (?) AND retl_list_id = ?;
-- with ('email:a@example.com', 'L1', 'email:a@example.com', 'L1', 'email:a@example.com', 'L1')
