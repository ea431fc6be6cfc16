-- count_planned_by_list 1
SELECT retl_list_id, retl_op, COUNT(*), MAX(retl_seq), COUNT(*) - COUNT(COALESCE(retl_email, retl_phone_e164)), COUNT(retl_email), COUNT(retl_phone_e164), COUNT(retl_external_id), COUNT(retl_klaviyo_profile_id) FROM temp.planned_vip_0a1b2c3d GROUP BY retl_list_id, retl_op ORDER BY retl_list_id, retl_op;
