-- mark_still_rejected 1
UPDATE temp.staged_vip_0a1b2c3d AS s SET retl_problem = 'still_rejected'
FROM state.rejected_vip_0a1b2c3d AS r, temp.lists_vip_0a1b2c3d AS l
WHERE s.retl_problem IS NULL AND s.retl_list = l.retl_list AND r.retl_list_id = l.retl_list_id
AND s.retl_identity = r.retl_identity AND r.retl_checksum = ?
AND s.retl_email IS NOT DISTINCT FROM r.retl_email
AND CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END IS NOT DISTINCT FROM r.retl_phone_e164
AND s.retl_external_id IS NOT DISTINCT FROM r.retl_external_id
AND s.retl_klaviyo_profile_id IS NOT DISTINCT FROM r.retl_klaviyo_profile_id
AND s."first_name" IS NOT DISTINCT FROM r."first_name"
AND s."spent" IS NOT DISTINCT FROM r."spent"
AND s."Since" IS NOT DISTINCT FROM r."Since"
duckdb:    AND s."tags" IS NOT DISTINCT FROM r."tags";
snowflake: AND TO_JSON(s."tags") IS NOT DISTINCT FROM TO_JSON(r."tags");
-- with ('c0ffee',)

-- mark_still_rejected 2
UPDATE temp.staged_clubs_4e5f6a7b AS s SET retl_problem = 'still_rejected'
FROM state.rejected_clubs_4e5f6a7b AS r, temp.lists_clubs_4e5f6a7b AS l
WHERE s.retl_problem IS NULL AND s.retl_list = l.retl_list AND r.retl_list_id = l.retl_list_id
AND s.retl_identity = r.retl_identity AND r.retl_checksum = ?
AND CASE WHEN s.retl_omits_email THEN NULL ELSE s.retl_email END IS NOT DISTINCT FROM r.retl_email
AND s.retl_phone_e164 IS NOT DISTINCT FROM r.retl_phone_e164
AND s.retl_external_id IS NOT DISTINCT FROM r.retl_external_id
AND s.retl_klaviyo_profile_id IS NOT DISTINCT FROM r.retl_klaviyo_profile_id;
-- with ('c0ffee',)
