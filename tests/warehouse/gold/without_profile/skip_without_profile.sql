-- skip_without_profile 1
DELETE FROM temp.planned_known_6f7a8b9c WHERE retl_seq IN (
  SELECT p.retl_seq FROM temp.planned_known_6f7a8b9c AS p JOIN temp.lists_known_6f7a8b9c AS l ON l.retl_list_id = p.retl_list_id
  JOIN temp.staged_known_6f7a8b9c AS s ON s.retl_list = l.retl_list AND s.retl_identity = p.retl_identity
  JOIN state.without_profile_known_6f7a8b9c AS m ON m.retl_list_id = p.retl_list_id AND m.retl_identity = p.retl_identity
  WHERE p.retl_op IN ('add', 'update') AND NOT p.retl_uncertain AND s.retl_problem IS NULL AND m.retl_looked_up_at >= ?
  AND s.retl_email IS NOT DISTINCT FROM m.retl_email
  AND s.retl_phone_e164 IS NOT DISTINCT FROM m.retl_phone_e164
  AND s.retl_external_id IS NOT DISTINCT FROM m.retl_external_id
  AND s.retl_klaviyo_profile_id IS NOT DISTINCT FROM m.retl_klaviyo_profile_id
  AND s."first_name" IS NOT DISTINCT FROM m."first_name"
  AND s."spent" IS NOT DISTINCT FROM m."spent"
  AND s."Since" IS NOT DISTINCT FROM m."Since"
duckdb:      AND s."tags" IS NOT DISTINCT FROM m."tags");
snowflake:   AND TO_JSON(s."tags") IS NOT DISTINCT FROM TO_JSON(m."tags"));
-- with ('2026-01-01T00:00:00.000Z',)
