-- compute_deltas 1
duckdb:    CREATE OR REPLACE TABLE temp.changed_vip_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.planned_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
snowflake: SELECT ROW_NUMBER() OVER (ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity) AS retl_seq, *
snowflake: FROM (
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, s.retl_problem IS NULL AND COALESCE(m.retl_omits_phone_e164, FALSE) AS retl_omits_phone_e164, COALESCE(s.retl_problem, r.retl_problem, m.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, m.retl_detail, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_vip_0a1b2c3d AS s
  LEFT JOIN temp.refused_vip_0a1b2c3d AS r ON s.retl_list = r.retl_list
  LEFT JOIN (
    SELECT retl_identity, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail, COUNT(CASE WHEN retl_omitted = 'phone_e164' THEN 1 END) > 0 AS retl_omits_phone_e164
    FROM (SELECT * FROM temp.marks_1_vip_0a1b2c3d UNION ALL SELECT * FROM temp.marks_2_vip_0a1b2c3d UNION ALL SELECT * FROM temp.marks_3_vip_0a1b2c3d) AS marked GROUP BY retl_identity
  ) AS m ON s.retl_identity = m.retl_identity
) AS s JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
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
)
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  COALESCE(d.retl_list_id, k.retl_list_id) AS retl_list_id,
duckdb:      COALESCE(d.retl_identity, k.retl_identity) AS retl_identity
snowflake:   COALESCE(d.retl_identity, k.retl_identity) AS retl_identity,
snowflake:   CASE WHEN d.retl_identity IS NULL THEN k.retl_email END AS retl_email,
snowflake:   CASE WHEN d.retl_identity IS NULL THEN k.retl_phone_e164 END AS retl_phone_e164,
snowflake:   CASE WHEN d.retl_identity IS NULL THEN k.retl_external_id END AS retl_external_id,
snowflake:   CASE WHEN d.retl_identity IS NULL THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id,
snowflake:   k.retl_first_sent_at AS retl_first_sent_at
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL OR k.retl_uncertain
  OR (NOT d.retl_unchanged AND (
    (d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM k.retl_phone_e164)
    OR (d."first_name" IS NOT NULL AND d."first_name" IS DISTINCT FROM k."first_name")
    OR (d."spent" IS NOT NULL AND d."spent" IS DISTINCT FROM k."spent")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
duckdb:        OR (d."tags" IS NOT NULL AND d."tags" IS DISTINCT FROM k."tags")));
duckdb:    CREATE OR REPLACE TABLE temp.planned_vip_0a1b2c3d AS
duckdb:    SELECT ROW_NUMBER() OVER () AS retl_seq, *
duckdb:    FROM (SELECT * FROM (
duckdb:    WITH known AS (
duckdb:      SELECT
duckdb:        CAST(NULL AS VARCHAR) AS retl_list_id,
duckdb:        CAST(NULL AS VARCHAR) AS retl_identity,
duckdb:        CAST(NULL AS VARCHAR) AS retl_email,
duckdb:        CAST(NULL AS VARCHAR) AS retl_phone_e164,
duckdb:        CAST(NULL AS VARCHAR) AS retl_external_id,
duckdb:        CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id,
duckdb:        CAST(NULL AS VARCHAR) AS retl_first_sent_at,
duckdb:        CAST(NULL AS VARCHAR) AS "first_name",
duckdb:        CAST(NULL AS DECIMAL(10,2)) AS "spent",
duckdb:        CAST(NULL AS TIMESTAMP) AS "Since",
duckdb:        CAST(NULL AS JSON) AS "tags",
duckdb:        FALSE AS retl_in_snapshot, FALSE AS retl_uncertain, FALSE AS retl_removing
duckdb:      FROM (SELECT 1 AS retl_number) AS retl_row WHERE FALSE
duckdb:    )
duckdb:    SELECT c.*,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_email END AS retl_email,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_phone_e164 END AS retl_phone_e164,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_external_id END AS retl_external_id,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id,
duckdb:      k.retl_first_sent_at AS retl_first_sent_at
duckdb:    FROM temp.changed_vip_0a1b2c3d AS c LEFT JOIN known AS k ON c.retl_identity = k.retl_identity
duckdb:    ) ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity);
duckdb:    DROP TABLE temp.changed_vip_0a1b2c3d;
snowflake:     OR (d."tags" IS NOT NULL AND TO_JSON(d."tags") IS DISTINCT FROM TO_JSON(k."tags"))))
snowflake: ) AS retl_rows;

-- compute_deltas 2
duckdb:    CREATE OR REPLACE TABLE temp.changed_clubs_4e5f6a7b AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.planned_clubs_4e5f6a7b DEFAULT_DDL_COLLATION = '' AS
snowflake: SELECT ROW_NUMBER() OVER (ORDER BY retl_list_id, CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity) AS retl_seq, *
snowflake: FROM (
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, CASE WHEN s.retl_omits_email THEN NULL ELSE s.retl_email END AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id
  FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, s.retl_problem IS NULL AND COALESCE(m.retl_omits_email, FALSE) AS retl_omits_email, COALESCE(s.retl_problem, r.retl_problem, m.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, m.retl_detail, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_clubs_4e5f6a7b AS s
  LEFT JOIN temp.refused_clubs_4e5f6a7b AS r ON s.retl_list = r.retl_list
  LEFT JOIN (
    SELECT retl_list, retl_identity, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail, COUNT(CASE WHEN retl_omitted = 'email' THEN 1 END) > 0 AS retl_omits_email
    FROM (SELECT * FROM temp.marks_1_clubs_4e5f6a7b UNION ALL SELECT * FROM temp.marks_2_clubs_4e5f6a7b UNION ALL SELECT * FROM temp.marks_3_clubs_4e5f6a7b) AS marked GROUP BY retl_list, retl_identity
  ) AS m ON s.retl_identity = m.retl_identity AND s.retl_list = m.retl_list
) AS s JOIN temp.lists_clubs_4e5f6a7b AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT
    CAST(NULL AS VARCHAR) AS retl_list_id,
    CAST(NULL AS VARCHAR) AS retl_identity,
    CAST(NULL AS VARCHAR) AS retl_email,
    CAST(NULL AS VARCHAR) AS retl_phone_e164,
    CAST(NULL AS VARCHAR) AS retl_external_id,
    CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id,
    CAST(NULL AS VARCHAR) AS retl_first_sent_at,
    FALSE AS retl_in_snapshot, FALSE AS retl_uncertain, FALSE AS retl_removing
  FROM (SELECT 1 AS retl_number) AS retl_row WHERE FALSE
)
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  COALESCE(d.retl_list_id, k.retl_list_id) AS retl_list_id,
duckdb:      COALESCE(d.retl_identity, k.retl_identity) AS retl_identity
snowflake:   COALESCE(d.retl_identity, k.retl_identity) AS retl_identity,
snowflake:   CASE WHEN d.retl_identity IS NULL THEN k.retl_email END AS retl_email,
snowflake:   CASE WHEN d.retl_identity IS NULL THEN k.retl_phone_e164 END AS retl_phone_e164,
snowflake:   CASE WHEN d.retl_identity IS NULL THEN k.retl_external_id END AS retl_external_id,
snowflake:   CASE WHEN d.retl_identity IS NULL THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id,
snowflake:   k.retl_first_sent_at AS retl_first_sent_at
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_list_id = k.retl_list_id AND d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL OR k.retl_uncertain
  OR (NOT d.retl_unchanged AND (
duckdb:        (d.retl_email IS NOT NULL AND d.retl_email IS DISTINCT FROM k.retl_email)));
duckdb:    CREATE OR REPLACE TABLE temp.planned_clubs_4e5f6a7b AS
duckdb:    SELECT ROW_NUMBER() OVER () AS retl_seq, *
duckdb:    FROM (SELECT * FROM (
duckdb:    WITH known AS (
duckdb:      SELECT
duckdb:        CAST(NULL AS VARCHAR) AS retl_list_id,
duckdb:        CAST(NULL AS VARCHAR) AS retl_identity,
duckdb:        CAST(NULL AS VARCHAR) AS retl_email,
duckdb:        CAST(NULL AS VARCHAR) AS retl_phone_e164,
duckdb:        CAST(NULL AS VARCHAR) AS retl_external_id,
duckdb:        CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id,
duckdb:        CAST(NULL AS VARCHAR) AS retl_first_sent_at,
duckdb:        FALSE AS retl_in_snapshot, FALSE AS retl_uncertain, FALSE AS retl_removing
duckdb:      FROM (SELECT 1 AS retl_number) AS retl_row WHERE FALSE
duckdb:    )
duckdb:    SELECT c.*,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_email END AS retl_email,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_phone_e164 END AS retl_phone_e164,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_external_id END AS retl_external_id,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id,
duckdb:      k.retl_first_sent_at AS retl_first_sent_at
duckdb:    FROM temp.changed_clubs_4e5f6a7b AS c LEFT JOIN known AS k ON c.retl_list_id = k.retl_list_id AND c.retl_identity = k.retl_identity
duckdb:    ) ORDER BY retl_list_id, CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity);
duckdb:    DROP TABLE temp.changed_clubs_4e5f6a7b;
snowflake:     (d.retl_email IS NOT NULL AND d.retl_email IS DISTINCT FROM k.retl_email)))
snowflake: ) AS retl_rows;
