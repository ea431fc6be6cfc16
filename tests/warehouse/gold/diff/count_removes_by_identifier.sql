-- count_removes_by_identifier 1
SELECT retl_list_id, COUNT(*) - COUNT(COALESCE(retl_email, retl_phone_e164)), COUNT(retl_email), COUNT(retl_phone_e164), COUNT(retl_external_id), COUNT(retl_klaviyo_profile_id) FROM temp.planned_vip_0a1b2c3d WHERE retl_op = 'remove' GROUP BY retl_list_id ORDER BY retl_list_id;
