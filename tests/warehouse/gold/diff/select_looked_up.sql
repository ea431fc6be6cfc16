-- select_looked_up 1
SELECT retl_identity, NULL, NULL, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id FROM (
SELECT retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id FROM temp.planned_vip_0a1b2c3d WHERE retl_op = 'remove' AND retl_list_id = ?
) AS p ORDER BY 1;
-- with ('L1',)

-- select_looked_up 2
SELECT retl_identity, NULL, NULL, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id FROM (
SELECT retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id FROM temp.staged_vip_0a1b2c3d AS s WHERE s.retl_problem IS NULL
) AS p ORDER BY 1;
