-- select_rejected_people 1
SELECT DISTINCT retl_email, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id FROM temp.staged_vip_0a1b2c3d
WHERE retl_problem IS NOT NULL AND retl_email IN (?, ?) ORDER BY 1, 2;
-- with ('ann@example.com', 'bob@example.com')
