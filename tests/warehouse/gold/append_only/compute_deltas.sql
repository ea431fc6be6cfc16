-- compute_deltas 1
duckdb:    CREATE OR REPLACE TABLE temp.changed_codes_8c9d0e1f AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.planned_codes_8c9d0e1f DEFAULT_DDL_COLLATION = '' AS
snowflake: SELECT ROW_NUMBER() OVER (ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity) AS retl_seq, *
snowflake: FROM (
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."coupon", s."code", s."percent"
  FROM temp.staged_codes_8c9d0e1f AS s JOIN temp.lists_codes_8c9d0e1f AS l ON s.retl_list = l.retl_list
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
    CAST(NULL AS VARCHAR) AS "coupon",
duckdb:        CAST(NULL AS DECIMAL(10,2)) AS "code",
snowflake:     CAST(NULL AS NUMBER(10,2)) AS "code",
    CAST(NULL AS BIGINT) AS "percent",
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
duckdb:    WHERE NOT COALESCE(k.retl_in_snapshot, FALSE);
duckdb:    CREATE OR REPLACE TABLE temp.planned_codes_8c9d0e1f AS
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
duckdb:        CAST(NULL AS VARCHAR) AS "coupon",
duckdb:        CAST(NULL AS DECIMAL(10,2)) AS "code",
duckdb:        CAST(NULL AS BIGINT) AS "percent",
duckdb:        FALSE AS retl_in_snapshot, FALSE AS retl_uncertain, FALSE AS retl_removing
duckdb:      FROM (SELECT 1 AS retl_number) AS retl_row WHERE FALSE
duckdb:    )
duckdb:    SELECT c.*,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_email END AS retl_email,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_phone_e164 END AS retl_phone_e164,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_external_id END AS retl_external_id,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id,
duckdb:      k.retl_first_sent_at AS retl_first_sent_at
duckdb:    FROM temp.changed_codes_8c9d0e1f AS c LEFT JOIN known AS k ON c.retl_identity = k.retl_identity
duckdb:    ) ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity);
duckdb:    DROP TABLE temp.changed_codes_8c9d0e1f;
snowflake: WHERE NOT COALESCE(k.retl_in_snapshot, FALSE)
snowflake: ) AS retl_rows;

-- compute_deltas 2
duckdb:    CREATE OR REPLACE TABLE temp.changed_codes_8c9d0e1f AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.planned_codes_8c9d0e1f DEFAULT_DDL_COLLATION = '' AS
snowflake: SELECT ROW_NUMBER() OVER (ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity) AS retl_seq, *
snowflake: FROM (
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."coupon", s."code", s."percent"
  FROM temp.staged_codes_8c9d0e1f AS s JOIN temp.lists_codes_8c9d0e1f AS l ON s.retl_list = l.retl_list
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
duckdb:    WHERE NOT COALESCE(k.retl_in_snapshot, FALSE);
duckdb:    CREATE OR REPLACE TABLE temp.planned_codes_8c9d0e1f AS
duckdb:    SELECT ROW_NUMBER() OVER () AS retl_seq, *
duckdb:    FROM (SELECT * FROM (
duckdb:    WITH known AS (
duckdb:      SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
duckdb:        COALESCE(s.retl_email, u.retl_email) AS retl_email,
duckdb:        COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164,
duckdb:        COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id,
duckdb:        COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id,
duckdb:        COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at,
duckdb:        s."coupon",
duckdb:        s."code",
duckdb:        s."percent",
duckdb:        s.retl_identity IS NOT NULL AS retl_in_snapshot,
duckdb:        u.retl_identity IS NOT NULL AS retl_uncertain,
duckdb:        COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
duckdb:      FROM (
duckdb:        SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at,
duckdb:          s."coupon" AS "coupon",
duckdb:          s."code" AS "code",
duckdb:          s."percent" AS "percent"
duckdb:        FROM state.snapshot_codes_8c9d0e1f AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_codes_8c9d0e1f)
duckdb:      ) AS s FULL OUTER JOIN (
duckdb:        SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
duckdb:        FROM state.deltas_codes_8c9d0e1f AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_codes_8c9d0e1f)
duckdb:      ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
duckdb:    )
duckdb:    SELECT c.*,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_email END AS retl_email,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_phone_e164 END AS retl_phone_e164,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_external_id END AS retl_external_id,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id,
duckdb:      k.retl_first_sent_at AS retl_first_sent_at
duckdb:    FROM temp.changed_codes_8c9d0e1f AS c LEFT JOIN known AS k ON c.retl_identity = k.retl_identity
duckdb:    ) ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity);
duckdb:    DROP TABLE temp.changed_codes_8c9d0e1f;
snowflake: WHERE NOT COALESCE(k.retl_in_snapshot, FALSE)
snowflake: ) AS retl_rows;
