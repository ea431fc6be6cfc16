-- select_sample 1
SELECT p.retl_list_id, p.retl_op, p.retl_identity, d.retl_email, d.retl_phone_e164, d.retl_external_id, d.retl_klaviyo_profile_id, d."first_name", d."spent", d."Since", d."tags",
duckdb:      k.retl_email, k.retl_phone_e164, k.retl_external_id, k.retl_klaviyo_profile_id, k."first_name", k."spent", k."Since", k."tags", k.retl_stored_0
snowflake:   k.retl_email, k.retl_phone_e164, k.retl_external_id, k.retl_klaviyo_profile_id, k."first_name", k."spent", k."Since", k."tags", k.retl_stored_0, k.retl_stored_1
FROM (
  SELECT * FROM temp.planned_vip_0a1b2c3d WHERE retl_op <> 'deferred'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY retl_list_id, retl_op ORDER BY retl_seq) <= 3
) AS p
LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM temp.staged_vip_0a1b2c3d AS s JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_identity = p.retl_identity
LEFT JOIN (
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
) AS k ON k.retl_identity = p.retl_identity
ORDER BY p.retl_seq;

-- select_sample 2
SELECT p.retl_list_id, p.retl_op, p.retl_identity, d.retl_email, d.retl_phone_e164, d.retl_external_id, d.retl_klaviyo_profile_id, d."first_name", d."spent", d."Since", d."tags",
  k.retl_email, k.retl_phone_e164, k.retl_external_id, k.retl_klaviyo_profile_id, k."first_name", k."spent", k."Since", k."tags"
FROM (
  SELECT * FROM temp.planned_vip_0a1b2c3d WHERE retl_op <> 'deferred'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY retl_list_id, retl_op ORDER BY retl_seq) <= 3
) AS p
LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM temp.staged_vip_0a1b2c3d AS s JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_identity = p.retl_identity
LEFT JOIN (
  SELECT
    CAST(NULL AS VARCHAR) AS retl_list_id,
    CAST(NULL AS VARCHAR) AS retl_identity,
    CAST(NULL AS VARCHAR) AS retl_email,
    CAST(NULL AS VARCHAR) AS retl_phone_e164,
    CAST(NULL AS VARCHAR) AS retl_external_id,
    CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id,
    CAST(NULL AS VARCHAR) AS retl_first_sent_at,
    CAST(NULL AS VARCHAR) AS "first_name",
duckdb:        CAST(NULL AS DECIMAL(10,2)) AS "spent",
duckdb:        CAST(NULL AS TIMESTAMP) AS "Since",
duckdb:        CAST(NULL AS JSON) AS "tags",
snowflake:     CAST(NULL AS NUMBER(10,2)) AS "spent",
snowflake:     CAST(NULL AS TIMESTAMP_NTZ(9)) AS "Since",
snowflake:     CAST(NULL AS VARIANT) AS "tags",
    FALSE AS retl_in_snapshot, FALSE AS retl_uncertain, FALSE AS retl_removing
  FROM (SELECT 1 AS retl_number) AS retl_row WHERE FALSE
) AS k ON k.retl_identity = p.retl_identity
ORDER BY p.retl_seq;
