-- select_staged_identifiers 1
SELECT l.retl_list_id, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id
FROM temp.staged_vip_0a1b2c3d AS s LEFT JOIN temp.lists_vip_0a1b2c3d AS l ON l.retl_list = s.retl_list
WHERE s.retl_identity IN (?) ORDER BY 1, 2 LIMIT 20;
-- with ('email:ann@example.com',)
