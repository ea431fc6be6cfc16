-- select_first_difference 1
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
    s.retl_stored_0,
snowflake:     s.retl_stored_1,
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at,
      s."first_name" AS "first_name",
duckdb:          CASE WHEN 'n:' || CAST(CAST(s."spent" AS DOUBLE) AS VARCHAR) = CASE WHEN LENGTH(REPLACE(REPLACE(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR), '-', ''), '.', '')) <= 15 THEN 'n:' || CAST(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS DOUBLE) AS VARCHAR) ELSE 's:' || CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR) END THEN TRY_CAST(s."spent" AS DECIMAL(10,2)) END AS "spent",
duckdb:          CAST(NULL AS TIMESTAMP) AS "Since",
duckdb:          s."tags" AS "tags",
duckdb:          s."spent" AS retl_stored_0
duckdb:        FROM state.snapshot_vip_0a1b2c3d AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_vip_0a1b2c3d)
snowflake:       CASE WHEN 'n:' || CAST(CAST(s."spent" AS DOUBLE) AS VARCHAR) = CASE WHEN LENGTH(REPLACE(REPLACE(CAST(TRY_CAST(CAST(s."spent" AS VARCHAR) AS NUMBER(10,2)) AS VARCHAR), '-', ''), '.', '')) <= 15 THEN 'n:' || CAST(CAST(TRY_CAST(CAST(s."spent" AS VARCHAR) AS NUMBER(10,2)) AS DOUBLE) AS VARCHAR) ELSE 's:' || CAST(TRY_CAST(CAST(s."spent" AS VARCHAR) AS NUMBER(10,2)) AS VARCHAR) END THEN TRY_CAST(CAST(s."spent" AS VARCHAR) AS NUMBER(10,2)) END AS "spent",
snowflake:       CAST(NULL AS TIMESTAMP_NTZ(9)) AS "Since",
snowflake:       CASE WHEN 'j:' || CAST(TO_JSON(s."tags") AS VARCHAR) = 'j:' || CAST(TO_JSON(TRY_PARSE_JSON(CAST(s."tags" AS VARCHAR))) AS VARCHAR) THEN TRY_PARSE_JSON(CAST(s."tags" AS VARCHAR)) END AS "tags",
snowflake:       s."spent" AS retl_stored_0,
snowflake:       s."tags" AS retl_stored_1
snowflake:     FROM state.snapshot_vip_0a1b2c3d AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM temp.lists_vip_0a1b2c3d)
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
duckdb:        FROM state.deltas_vip_0a1b2c3d AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_vip_0a1b2c3d)
snowflake:     FROM state.deltas_vip_0a1b2c3d AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM temp.lists_vip_0a1b2c3d)
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT 1 AS retl_differs
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL
  OR ((d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM k.retl_phone_e164)
    OR (d."first_name" IS NOT NULL AND d."first_name" IS DISTINCT FROM k."first_name")
    OR (d."spent" IS NOT NULL AND d."spent" IS DISTINCT FROM k."spent")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
duckdb:        OR (d."tags" IS NOT NULL AND d."tags" IS DISTINCT FROM k."tags"))
snowflake:     OR (d."tags" IS NOT NULL AND TO_JSON(d."tags") IS DISTINCT FROM TO_JSON(k."tags")))
LIMIT 1;

-- select_first_difference 2
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id
  FROM temp.staged_clubs_4e5f6a7b AS s JOIN temp.lists_clubs_4e5f6a7b AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
    COALESCE(s.retl_email, u.retl_email) AS retl_email,
    COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164,
    COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id,
    COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id,
    COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at,
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at
    FROM state.snapshot_clubs_4e5f6a7b AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM temp.lists_clubs_4e5f6a7b)
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM state.deltas_clubs_4e5f6a7b AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM temp.lists_clubs_4e5f6a7b)
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT 1 AS retl_differs
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_list_id = k.retl_list_id AND d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL
  OR ((d.retl_email IS NOT NULL AND d.retl_email IS DISTINCT FROM k.retl_email))
LIMIT 1;
