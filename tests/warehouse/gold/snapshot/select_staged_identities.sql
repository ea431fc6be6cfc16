-- select_staged_identities 1
SELECT DISTINCT retl_identity FROM temp.staged_vip_0a1b2c3d WHERE retl_identity IN (?);
-- with ('email:a@example.com',)

-- select_staged_identities 2
SELECT DISTINCT retl_identity FROM temp.staged_vip_0a1b2c3d WHERE retl_identity IN (?) AND retl_list IN (SELECT retl_list FROM temp.lists_vip_0a1b2c3d WHERE retl_list_id = ?);
-- with ('email:a@example.com', 'L1')

-- select_staged_identities 3
SELECT DISTINCT retl_identity FROM temp.staged_vip_0a1b2c3d WHERE retl_identity IN (?) AND retl_list IN (?, ?, ?);
-- with ('email:a@example.com', '', 'L1', 'Members')
