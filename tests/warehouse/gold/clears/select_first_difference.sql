-- select_first_difference 1
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM temp.staged_tiers_2b3c4d5e AS s JOIN temp.lists_tiers_2b3c4d5e AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
    COALESCE(s.retl_email, u.retl_email) AS retl_email,
    COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164,
    COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id,
    COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id,
    COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at,
    s."first_name",
    s."spent",
    s."Since",
    s."tags",
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing,
    s.retl_cleared, u.retl_identity IS NOT NULL AS retl_unproved
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, CAST(NULL AS VARCHAR) AS retl_cleared,
      s."first_name" AS "first_name",
      s."spent" AS "spent",
      s."Since" AS "Since",
      s."tags" AS "tags"
duckdb:        FROM state.snapshot_tiers_2b3c4d5e AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_tiers_2b3c4d5e)
snowflake:     FROM state.snapshot_tiers_2b3c4d5e AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM temp.lists_tiers_2b3c4d5e)
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
duckdb:        FROM state.deltas_tiers_2b3c4d5e AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_tiers_2b3c4d5e)
snowflake:     FROM state.deltas_tiers_2b3c4d5e AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM temp.lists_tiers_2b3c4d5e)
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT 1 AS retl_differs
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL
  OR ((d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM k.retl_phone_e164)
    OR (d."first_name" IS DISTINCT FROM k."first_name")
    OR (d."spent" IS DISTINCT FROM k."spent")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
duckdb:        OR (d."tags" IS NOT NULL AND d."tags" IS DISTINCT FROM k."tags"))
snowflake:     OR (d."tags" IS NOT NULL AND TO_JSON(d."tags") IS DISTINCT FROM TO_JSON(k."tags")))
LIMIT 1;
