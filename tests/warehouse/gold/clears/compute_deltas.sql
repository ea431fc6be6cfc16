-- compute_deltas 1
duckdb:    CREATE OR REPLACE TABLE temp.changed_tiers_2b3c4d5e AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.planned_tiers_2b3c4d5e DEFAULT_DDL_COLLATION = '' AS
snowflake: SELECT ROW_NUMBER() OVER (ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity) AS retl_seq, *
snowflake: FROM (
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM temp.staged_tiers_2b3c4d5e AS s JOIN temp.lists_tiers_2b3c4d5e AS l ON s.retl_list = l.retl_list
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
    CAST(NULL AS VARCHAR) AS retl_cleared,
    FALSE AS retl_in_snapshot, FALSE AS retl_uncertain, FALSE AS retl_removing, FALSE AS retl_unproved
  FROM (SELECT 1 AS retl_number) AS retl_row WHERE FALSE
)
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  CASE WHEN d.retl_identity IS NOT NULL THEN NULLIF(CONCAT('',
    CASE WHEN d."first_name" IS NULL AND (k."first_name" IS NOT NULL OR k.retl_unproved) THEN ',first_name,' ELSE '' END,
    CASE WHEN d."spent" IS NULL AND (k."spent" IS NOT NULL OR k.retl_unproved) THEN ',spent,' ELSE '' END), '') END AS retl_cleared,
COALESCE(k.retl_in_snapshot AND NOT k.retl_uncertain AND NOT ((d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM k.retl_phone_e164)
    OR (d."first_name" IS NOT NULL AND d."first_name" IS DISTINCT FROM k."first_name")
    OR (d."spent" IS NOT NULL AND d."spent" IS DISTINCT FROM k."spent")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
duckdb:        OR (d."tags" IS NOT NULL AND d."tags" IS DISTINCT FROM k."tags")), FALSE) AS retl_only_clears,
snowflake:     OR (d."tags" IS NOT NULL AND TO_JSON(d."tags") IS DISTINCT FROM TO_JSON(k."tags"))), FALSE) AS retl_only_clears,
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
    OR (d."first_name" IS DISTINCT FROM k."first_name")
    OR (d."spent" IS DISTINCT FROM k."spent")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
duckdb:        OR (d."tags" IS NOT NULL AND d."tags" IS DISTINCT FROM k."tags")));
duckdb:    CREATE OR REPLACE TABLE temp.planned_tiers_2b3c4d5e AS
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
duckdb:        CAST(NULL AS VARCHAR) AS retl_cleared,
duckdb:        FALSE AS retl_in_snapshot, FALSE AS retl_uncertain, FALSE AS retl_removing, FALSE AS retl_unproved
duckdb:      FROM (SELECT 1 AS retl_number) AS retl_row WHERE FALSE
duckdb:    )
duckdb:    SELECT c.*,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_email END AS retl_email,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_phone_e164 END AS retl_phone_e164,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_external_id END AS retl_external_id,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id,
duckdb:      k.retl_first_sent_at AS retl_first_sent_at
duckdb:    FROM temp.changed_tiers_2b3c4d5e AS c LEFT JOIN known AS k ON c.retl_identity = k.retl_identity
duckdb:    ) ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity);
duckdb:    DROP TABLE temp.changed_tiers_2b3c4d5e;
snowflake:     OR (d."tags" IS NOT NULL AND TO_JSON(d."tags") IS DISTINCT FROM TO_JSON(k."tags"))))
snowflake: ) AS retl_rows;

-- compute_deltas 2
duckdb:    CREATE OR REPLACE TABLE temp.changed_tiers_2b3c4d5e AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.planned_tiers_2b3c4d5e DEFAULT_DDL_COLLATION = '' AS
snowflake: SELECT ROW_NUMBER() OVER (ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity) AS retl_seq, *
snowflake: FROM (
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
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  CASE WHEN d.retl_identity IS NOT NULL THEN NULLIF(CONCAT('',
    CASE WHEN d."first_name" IS NULL AND (k."first_name" IS NOT NULL OR k.retl_unproved) THEN ',first_name,' ELSE '' END,
    CASE WHEN d."spent" IS NULL AND (k."spent" IS NOT NULL OR k.retl_unproved) THEN ',spent,' ELSE '' END), '') END AS retl_cleared,
COALESCE(k.retl_in_snapshot AND NOT k.retl_uncertain AND NOT ((d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM k.retl_phone_e164)
    OR (d."first_name" IS NOT NULL AND d."first_name" IS DISTINCT FROM k."first_name")
    OR (d."spent" IS NOT NULL AND d."spent" IS DISTINCT FROM k."spent")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
duckdb:        OR (d."tags" IS NOT NULL AND d."tags" IS DISTINCT FROM k."tags")), FALSE) AS retl_only_clears,
snowflake:     OR (d."tags" IS NOT NULL AND TO_JSON(d."tags") IS DISTINCT FROM TO_JSON(k."tags"))), FALSE) AS retl_only_clears,
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
    OR (d."first_name" IS DISTINCT FROM k."first_name")
    OR (d."spent" IS DISTINCT FROM k."spent")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
duckdb:        OR (d."tags" IS NOT NULL AND d."tags" IS DISTINCT FROM k."tags")));
duckdb:    CREATE OR REPLACE TABLE temp.planned_tiers_2b3c4d5e AS
duckdb:    SELECT ROW_NUMBER() OVER () AS retl_seq, *
duckdb:    FROM (SELECT * FROM (
duckdb:    WITH known AS (
duckdb:      SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
duckdb:        COALESCE(s.retl_email, u.retl_email) AS retl_email,
duckdb:        COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164,
duckdb:        COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id,
duckdb:        COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id,
duckdb:        COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at,
duckdb:        s."first_name",
duckdb:        s."spent",
duckdb:        s."Since",
duckdb:        s."tags",
duckdb:        s.retl_identity IS NOT NULL AS retl_in_snapshot,
duckdb:        u.retl_identity IS NOT NULL AS retl_uncertain,
duckdb:        COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing,
duckdb:        s.retl_cleared, u.retl_identity IS NOT NULL AS retl_unproved
duckdb:      FROM (
duckdb:        SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, CAST(NULL AS VARCHAR) AS retl_cleared,
duckdb:          s."first_name" AS "first_name",
duckdb:          s."spent" AS "spent",
duckdb:          s."Since" AS "Since",
duckdb:          s."tags" AS "tags"
duckdb:        FROM state.snapshot_tiers_2b3c4d5e AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_tiers_2b3c4d5e)
duckdb:      ) AS s FULL OUTER JOIN (
duckdb:        SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
duckdb:        FROM state.deltas_tiers_2b3c4d5e AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_tiers_2b3c4d5e)
duckdb:      ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
duckdb:    )
duckdb:    SELECT c.*,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_email END AS retl_email,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_phone_e164 END AS retl_phone_e164,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_external_id END AS retl_external_id,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id,
duckdb:      k.retl_first_sent_at AS retl_first_sent_at
duckdb:    FROM temp.changed_tiers_2b3c4d5e AS c LEFT JOIN known AS k ON c.retl_identity = k.retl_identity
duckdb:    ) ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity);
duckdb:    DROP TABLE temp.changed_tiers_2b3c4d5e;
snowflake:     OR (d."tags" IS NOT NULL AND TO_JSON(d."tags") IS DISTINCT FROM TO_JSON(k."tags"))))
snowflake: ) AS retl_rows;

-- compute_deltas 3
duckdb:    CREATE OR REPLACE TABLE temp.changed_tiers_2b3c4d5e AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.planned_tiers_2b3c4d5e DEFAULT_DDL_COLLATION = '' AS
snowflake: SELECT ROW_NUMBER() OVER (ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity) AS retl_seq, *
snowflake: FROM (
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
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s.retl_cleared,
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
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  CASE WHEN d.retl_identity IS NOT NULL THEN NULLIF(CONCAT('',
    CASE WHEN d."first_name" IS NULL AND (k."first_name" IS NOT NULL OR k.retl_unproved OR POSITION(',first_name,' IN COALESCE(k.retl_cleared, '')) > 0) THEN ',first_name,' ELSE '' END,
    CASE WHEN d."spent" IS NULL AND (k."spent" IS NOT NULL OR k.retl_unproved OR POSITION(',spent,' IN COALESCE(k.retl_cleared, '')) > 0) THEN ',spent,' ELSE '' END), '') END AS retl_cleared,
FALSE AS retl_only_clears,
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
duckdb:        TRUE));
duckdb:    CREATE OR REPLACE TABLE temp.planned_tiers_2b3c4d5e AS
duckdb:    SELECT ROW_NUMBER() OVER () AS retl_seq, *
duckdb:    FROM (SELECT * FROM (
duckdb:    WITH known AS (
duckdb:      SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
duckdb:        COALESCE(s.retl_email, u.retl_email) AS retl_email,
duckdb:        COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164,
duckdb:        COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id,
duckdb:        COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id,
duckdb:        COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at,
duckdb:        s."first_name",
duckdb:        s."spent",
duckdb:        s."Since",
duckdb:        s."tags",
duckdb:        s.retl_identity IS NOT NULL AS retl_in_snapshot,
duckdb:        u.retl_identity IS NOT NULL AS retl_uncertain,
duckdb:        COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing,
duckdb:        s.retl_cleared, u.retl_identity IS NOT NULL AS retl_unproved
duckdb:      FROM (
duckdb:        SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s.retl_cleared,
duckdb:          s."first_name" AS "first_name",
duckdb:          s."spent" AS "spent",
duckdb:          s."Since" AS "Since",
duckdb:          s."tags" AS "tags"
duckdb:        FROM state.snapshot_tiers_2b3c4d5e AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_tiers_2b3c4d5e)
duckdb:      ) AS s FULL OUTER JOIN (
duckdb:        SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
duckdb:        FROM state.deltas_tiers_2b3c4d5e AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_tiers_2b3c4d5e)
duckdb:      ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
duckdb:    )
duckdb:    SELECT c.*,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_email END AS retl_email,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_phone_e164 END AS retl_phone_e164,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_external_id END AS retl_external_id,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id,
duckdb:      k.retl_first_sent_at AS retl_first_sent_at
duckdb:    FROM temp.changed_tiers_2b3c4d5e AS c LEFT JOIN known AS k ON c.retl_identity = k.retl_identity
duckdb:    ) ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity);
duckdb:    DROP TABLE temp.changed_tiers_2b3c4d5e;
snowflake:     TRUE))
snowflake: ) AS retl_rows;

-- compute_deltas 4
duckdb:    CREATE OR REPLACE TABLE temp.changed_tiers_2b3c4d5e AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.planned_tiers_2b3c4d5e DEFAULT_DDL_COLLATION = '' AS
snowflake: SELECT ROW_NUMBER() OVER (ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity) AS retl_seq, *
snowflake: FROM (
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
    u.retl_identity IS NOT NULL OR s.retl_list_id IN ('L1') AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing,
    s.retl_cleared, u.retl_identity IS NOT NULL AS retl_unproved
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s.retl_cleared,
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
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  CASE WHEN d.retl_identity IS NOT NULL THEN NULLIF(CONCAT('',
    CASE WHEN d."first_name" IS NULL AND (k."first_name" IS NOT NULL OR k.retl_unproved OR POSITION(',first_name,' IN COALESCE(k.retl_cleared, '')) > 0) THEN ',first_name,' ELSE '' END,
    CASE WHEN d."spent" IS NULL AND (k."spent" IS NOT NULL OR k.retl_unproved OR POSITION(',spent,' IN COALESCE(k.retl_cleared, '')) > 0) THEN ',spent,' ELSE '' END), '') END AS retl_cleared,
COALESCE(k.retl_in_snapshot AND NOT k.retl_uncertain AND NOT ((d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM k.retl_phone_e164)
    OR (d."first_name" IS NOT NULL AND d."first_name" IS DISTINCT FROM k."first_name")
    OR (d."spent" IS NOT NULL AND d."spent" IS DISTINCT FROM k."spent")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
duckdb:        OR (d."tags" IS NOT NULL AND d."tags" IS DISTINCT FROM k."tags")), FALSE) AS retl_only_clears,
snowflake:     OR (d."tags" IS NOT NULL AND TO_JSON(d."tags") IS DISTINCT FROM TO_JSON(k."tags"))), FALSE) AS retl_only_clears,
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
    OR (d."first_name" IS DISTINCT FROM k."first_name")
    OR (d."spent" IS DISTINCT FROM k."spent")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
duckdb:        OR (d."tags" IS NOT NULL AND d."tags" IS DISTINCT FROM k."tags")));
duckdb:    CREATE OR REPLACE TABLE temp.planned_tiers_2b3c4d5e AS
duckdb:    SELECT ROW_NUMBER() OVER () AS retl_seq, *
duckdb:    FROM (SELECT * FROM (
duckdb:    WITH known AS (
duckdb:      SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
duckdb:        COALESCE(s.retl_email, u.retl_email) AS retl_email,
duckdb:        COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164,
duckdb:        COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id,
duckdb:        COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id,
duckdb:        COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at,
duckdb:        s."first_name",
duckdb:        s."spent",
duckdb:        s."Since",
duckdb:        s."tags",
duckdb:        s.retl_identity IS NOT NULL AS retl_in_snapshot,
duckdb:        u.retl_identity IS NOT NULL OR s.retl_list_id IN ('L1') AS retl_uncertain,
duckdb:        COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing,
duckdb:        s.retl_cleared, u.retl_identity IS NOT NULL AS retl_unproved
duckdb:      FROM (
duckdb:        SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s.retl_cleared,
duckdb:          s."first_name" AS "first_name",
duckdb:          s."spent" AS "spent",
duckdb:          s."Since" AS "Since",
duckdb:          s."tags" AS "tags"
duckdb:        FROM state.snapshot_tiers_2b3c4d5e AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_tiers_2b3c4d5e)
duckdb:      ) AS s FULL OUTER JOIN (
duckdb:        SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
duckdb:        FROM state.deltas_tiers_2b3c4d5e AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_tiers_2b3c4d5e)
duckdb:      ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
duckdb:    )
duckdb:    SELECT c.*,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_email END AS retl_email,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_phone_e164 END AS retl_phone_e164,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_external_id END AS retl_external_id,
duckdb:      CASE WHEN c.retl_op = 'remove' THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id,
duckdb:      k.retl_first_sent_at AS retl_first_sent_at
duckdb:    FROM temp.changed_tiers_2b3c4d5e AS c LEFT JOIN known AS k ON c.retl_identity = k.retl_identity
duckdb:    ) ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity);
duckdb:    DROP TABLE temp.changed_tiers_2b3c4d5e;
snowflake:     OR (d."tags" IS NOT NULL AND TO_JSON(d."tags") IS DISTINCT FROM TO_JSON(k."tags"))))
snowflake: ) AS retl_rows;
