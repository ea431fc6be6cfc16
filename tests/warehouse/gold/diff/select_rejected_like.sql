-- select_rejected_like 1
SELECT DISTINCT retl_identity FROM temp.staged_vip_0a1b2c3d
WHERE retl_problem IS NOT NULL AND retl_identity IS NOT NULL AND (retl_email = ? OR retl_external_id = ?) ORDER BY 1 LIMIT 20;
-- with ('ann@example.com', '17')
