-- keep_updated_at 1
UPDATE state.snapshot_changed_3c4d5e6f AS k SET retl_updated_at = d.retl_updated_at
FROM (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s.retl_updated_at, s."first_name", s."spent", s."Since", s."tags"
  FROM temp.staged_changed_3c4d5e6f AS s JOIN temp.lists_changed_3c4d5e6f AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d
WHERE d.retl_list_id = k.retl_list_id AND d.retl_identity = k.retl_identity
AND d.retl_updated_at IS NOT NULL AND k.retl_updated_at IS DISTINCT FROM d.retl_updated_at
AND NOT EXISTS (
  SELECT 1 FROM (SELECT retl_list_id, retl_identity FROM state.deltas_changed_3c4d5e6f) AS u WHERE u.retl_list_id = k.retl_list_id AND u.retl_identity = k.retl_identity)
AND (d.retl_unchanged OR NOT COALESCE((d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM k.retl_phone_e164)
    OR (d."first_name" IS NOT NULL AND d."first_name" IS DISTINCT FROM k."first_name")
    OR (d."spent" IS NOT NULL AND d."spent" IS DISTINCT FROM k."spent")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
duckdb:        OR (d."tags" IS NOT NULL AND d."tags" IS DISTINCT FROM k."tags"), FALSE));
snowflake:     OR (d."tags" IS NOT NULL AND TO_JSON(d."tags") IS DISTINCT FROM TO_JSON(k."tags")), FALSE));
