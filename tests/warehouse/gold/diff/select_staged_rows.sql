-- select_staged_rows 1
SELECT l.retl_list_id, s.retl_identity, s.retl_problem, s.retl_detail, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, FALSE, s."first_name", s."spent", s."Since", s."tags"
FROM temp.staged_vip_0a1b2c3d AS s LEFT JOIN temp.lists_vip_0a1b2c3d AS l ON l.retl_list = s.retl_list
WHERE (s.retl_email = ? OR s.retl_external_id = ?) ORDER BY 1, 2 LIMIT 20;
-- with ('ann@example.com', '17')
