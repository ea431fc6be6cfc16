-- count_moved 1
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM temp.staged_vip_0a1b2c3d AS s JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
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
snowflake:     s.retl_stored_0,
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at,
      s."first_name" AS "first_name",
      s."spent" AS "spent",
      s."Since" AS "Since",
duckdb:          s."tags" AS "tags"
duckdb:        FROM state.snapshot_vip_0a1b2c3d AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_vip_0a1b2c3d)
snowflake:       CASE WHEN 'j:' || CAST(TO_JSON(s."tags") AS VARCHAR) = 'j:' || CAST(TO_JSON(TRY_PARSE_JSON(CAST(s."tags" AS VARCHAR))) AS VARCHAR) THEN TRY_PARSE_JSON(CAST(s."tags" AS VARCHAR)) END AS "tags",
snowflake:       s."tags" AS retl_stored_0
snowflake:     FROM state.snapshot_vip_0a1b2c3d AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM temp.lists_vip_0a1b2c3d)
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
duckdb:        FROM state.deltas_vip_0a1b2c3d AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_vip_0a1b2c3d)
snowflake:     FROM state.deltas_vip_0a1b2c3d AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM temp.lists_vip_0a1b2c3d)
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT d.retl_list_id, COUNT(*) FROM desired AS d JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE k.retl_in_snapshot AND NOT d.retl_unchanged AND ((k."Since" IS NOT NULL AND (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")))
GROUP BY d.retl_list_id;
