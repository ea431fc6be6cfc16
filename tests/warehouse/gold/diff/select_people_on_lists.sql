-- select_people_on_lists 1
SELECT s.retl_email, l.retl_list_id FROM temp.staged_vip_0a1b2c3d AS s
JOIN temp.lists_vip_0a1b2c3d AS l ON l.retl_list = s.retl_list
WHERE l.retl_list_id IN (?) AND s.retl_email IN (?, ?) ORDER BY 1, 2;
-- with ('L1', 'ann@example.com', 'bob@example.com')

-- select_people_on_lists 2
SELECT s.retl_email, l.retl_list_id FROM temp.staged_vip_0a1b2c3d AS s
JOIN temp.lists_vip_0a1b2c3d AS l ON l.retl_list = s.retl_list
WHERE l.retl_list_id IN (?) AND s.retl_email IN (?, ?)
UNION SELECT retl_email, retl_list_id FROM state.snapshot_vip_0a1b2c3d
WHERE retl_list_id IN (?) AND retl_email IN (?, ?) ORDER BY 1, 2;
-- with ('L1', 'ann@example.com', 'bob@example.com', 'L1', 'ann@example.com', 'bob@example.com')
