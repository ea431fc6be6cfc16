-- mark_changed_rows 1
duckdb:    CREATE OR REPLACE TABLE temp.marks_2_codes_8c9d0e1f AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.marks_2_codes_8c9d0e1f DEFAULT_DDL_COLLATION = '' AS
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."coupon", s."code", s."percent"
  FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail), COALESCE(s.retl_problem, m.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(m.retl_detail, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_codes_8c9d0e1f AS s
  LEFT JOIN (
    SELECT retl_identity, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail
    FROM (SELECT * FROM temp.marks_1_codes_8c9d0e1f) AS marked GROUP BY retl_identity
  ) AS m ON s.retl_identity = m.retl_identity
) AS s JOIN temp.lists_codes_8c9d0e1f AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
    COALESCE(s.retl_email, u.retl_email) AS retl_email,
    COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164,
    COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id,
    COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id,
    COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at,
    s."coupon",
    s."code",
    s."percent",
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at,
      s."coupon" AS "coupon",
      s."code" AS "code",
      s."percent" AS "percent"
duckdb:        FROM state.snapshot_codes_8c9d0e1f AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_codes_8c9d0e1f)
snowflake:     FROM state.snapshot_codes_8c9d0e1f AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM temp.lists_codes_8c9d0e1f)
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
duckdb:        FROM state.deltas_codes_8c9d0e1f AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_codes_8c9d0e1f)
snowflake:     FROM state.deltas_codes_8c9d0e1f AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM temp.lists_codes_8c9d0e1f)
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT l.retl_list, d.retl_identity, CAST('changed' AS VARCHAR) AS retl_problem, CAST(SUBSTR(CONCAT('',
duckdb:      CASE WHEN k."coupon" IS NOT NULL AND (d."coupon" IS NOT NULL AND d."coupon" IS DISTINCT FROM k."coupon") THEN ', coupon' ELSE '' END,
duckdb:      CASE WHEN k."code" IS NOT NULL AND (d."code" IS NOT NULL AND d."code" IS DISTINCT FROM k."code") THEN ', code' ELSE '' END,
duckdb:      CASE WHEN k."percent" IS NOT NULL AND (d."percent" IS NOT NULL AND d."percent" IS DISTINCT FROM k."percent") THEN ', percent' ELSE '' END), 3) AS VARCHAR) AS retl_detail, CAST(NULL AS VARCHAR) AS retl_omitted
snowflake:   CASE WHEN k."coupon" IS NOT NULL AND (d."coupon" IS NOT NULL AND d."coupon" IS DISTINCT FROM k."coupon") THEN ', COUPON' ELSE '' END,
snowflake:   CASE WHEN k."code" IS NOT NULL AND (d."code" IS NOT NULL AND d."code" IS DISTINCT FROM k."code") THEN ', CODE' ELSE '' END,
snowflake:   CASE WHEN k."percent" IS NOT NULL AND (d."percent" IS NOT NULL AND d."percent" IS DISTINCT FROM k."percent") THEN ', PERCENT' ELSE '' END), 3) AS VARCHAR) AS retl_detail, CAST(NULL AS VARCHAR) AS retl_omitted
FROM desired AS d JOIN known AS k ON d.retl_identity = k.retl_identity
JOIN temp.lists_codes_8c9d0e1f AS l ON l.retl_list_id = d.retl_list_id
WHERE k.retl_in_snapshot AND ((k."coupon" IS NOT NULL AND (d."coupon" IS NOT NULL AND d."coupon" IS DISTINCT FROM k."coupon"))
  OR (k."code" IS NOT NULL AND (d."code" IS NOT NULL AND d."code" IS DISTINCT FROM k."code"))
  OR (k."percent" IS NOT NULL AND (d."percent" IS NOT NULL AND d."percent" IS DISTINCT FROM k."percent")));
