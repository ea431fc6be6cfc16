-- select_adds 1
SELECT p.retl_seq, p.retl_list_id, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id
FROM temp.planned_vip_0a1b2c3d AS p JOIN temp.lists_vip_0a1b2c3d AS l ON l.retl_list_id = p.retl_list_id
JOIN temp.staged_vip_0a1b2c3d AS s ON s.retl_list = l.retl_list AND s.retl_identity = p.retl_identity
WHERE p.retl_op = 'add' AND s.retl_problem IS NULL ORDER BY p.retl_seq LIMIT 100;
