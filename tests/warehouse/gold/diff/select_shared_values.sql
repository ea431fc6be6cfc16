-- select_shared_values 1
SELECT retl_email FROM temp.staged_vip_0a1b2c3d
WHERE retl_email IN (?, ?) GROUP BY retl_email HAVING MIN(retl_identity) <> MAX(retl_identity) ORDER BY 1;
-- with ('ann@example.com', 'bob@example.com')
