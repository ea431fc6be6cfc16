-- diff 1
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM memory.main."staged_vip_0a1b2c3d" AS s JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."first_name", s."spent", s."Since", s."tags", s.retl_stored_0, 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."first_name" AS "first_name", CASE WHEN 'n:' || CAST(CAST(s."spent" AS DOUBLE) AS VARCHAR) = CASE WHEN LENGTH(REPLACE(REPLACE(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR), '-', ''), '.', '')) <= 15 THEN 'n:' || CAST(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS DOUBLE) AS VARCHAR) ELSE 's:' || CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR) END THEN TRY_CAST(s."spent" AS DECIMAL(10,2)) END AS "spent", CAST(NULL AS TIMESTAMP) AS "Since", s."tags" AS "tags", s."spent" AS retl_stored_0
    FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_vip_0a1b2c3d")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_vip_0a1b2c3d")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT 1 AS retl_differs
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL
  OR ((d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM k.retl_phone_e164)
    OR (d."first_name" IS NOT NULL AND d."first_name" IS DISTINCT FROM k."first_name")
    OR (d."spent" IS NOT NULL AND d."spent" IS DISTINCT FROM k."spent")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
    OR (d."tags" IS NOT NULL AND d."tags" IS DISTINCT FROM k."tags"))
LIMIT 1;

-- diff 2
CREATE OR REPLACE TABLE memory.main."planned_vip_0a1b2c3d" (retl_seq BIGINT, retl_op VARCHAR, retl_in_snapshot BOOLEAN, retl_uncertain BOOLEAN, retl_list_id VARCHAR, retl_identity VARCHAR, retl_email VARCHAR, retl_phone_e164 VARCHAR, retl_external_id VARCHAR, retl_klaviyo_profile_id VARCHAR, retl_first_sent_at VARCHAR);

-- diff 3
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, CASE WHEN s.retl_omits_email THEN NULL ELSE s.retl_email END AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id
  FROM memory.main."staged_clubs_4e5f6a7b" AS s JOIN memory.main."lists_clubs_4e5f6a7b" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 

    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at
    FROM "reverse_etl_state".main."snapshot_clubs_4e5f6a7b" AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM memory.main."lists_clubs_4e5f6a7b")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "reverse_etl_state".main."deltas_clubs_4e5f6a7b" AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM memory.main."lists_clubs_4e5f6a7b")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT 1 AS retl_differs
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_list_id = k.retl_list_id AND d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL
  OR ((d.retl_email IS NOT NULL AND d.retl_email IS DISTINCT FROM k.retl_email))
LIMIT 1;

-- diff 4
CREATE OR REPLACE TABLE memory.main."planned_clubs_4e5f6a7b" (retl_seq BIGINT, retl_op VARCHAR, retl_in_snapshot BOOLEAN, retl_uncertain BOOLEAN, retl_list_id VARCHAR, retl_identity VARCHAR, retl_email VARCHAR, retl_phone_e164 VARCHAR, retl_external_id VARCHAR, retl_klaviyo_profile_id VARCHAR, retl_first_sent_at VARCHAR);

-- diff 5
CREATE OR REPLACE TABLE memory.main."changed_vip_0a1b2c3d" AS
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM memory.main."staged_vip_0a1b2c3d" AS s JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT CAST(NULL AS VARCHAR) AS retl_list_id, CAST(NULL AS VARCHAR) AS retl_identity, CAST(NULL AS VARCHAR) AS retl_email, CAST(NULL AS VARCHAR) AS retl_phone_e164, CAST(NULL AS VARCHAR) AS retl_external_id, CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id, CAST(NULL AS VARCHAR) AS retl_first_sent_at, CAST(NULL AS VARCHAR) AS "first_name", CAST(NULL AS DECIMAL(10,2)) AS "spent", CAST(NULL AS TIMESTAMP) AS "Since", CAST(NULL AS JSON) AS "tags", 
    FALSE AS retl_in_snapshot, FALSE AS retl_uncertain, FALSE AS retl_removing
  FROM (SELECT 1 AS retl_number) AS retl_row WHERE FALSE
)
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  COALESCE(d.retl_list_id, k.retl_list_id) AS retl_list_id,
  COALESCE(d.retl_identity, k.retl_identity) AS retl_identity
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL OR k.retl_uncertain
  OR ((d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM k.retl_phone_e164)
    OR (d."first_name" IS NOT NULL AND d."first_name" IS DISTINCT FROM k."first_name")
    OR (d."spent" IS NOT NULL AND d."spent" IS DISTINCT FROM k."spent")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
    OR (d."tags" IS NOT NULL AND d."tags" IS DISTINCT FROM k."tags"));

-- diff 6
CREATE OR REPLACE TABLE memory.main."planned_vip_0a1b2c3d" AS
SELECT ROW_NUMBER() OVER () AS retl_seq, *
FROM (SELECT * FROM (
WITH known AS (
  SELECT CAST(NULL AS VARCHAR) AS retl_list_id, CAST(NULL AS VARCHAR) AS retl_identity, CAST(NULL AS VARCHAR) AS retl_email, CAST(NULL AS VARCHAR) AS retl_phone_e164, CAST(NULL AS VARCHAR) AS retl_external_id, CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id, CAST(NULL AS VARCHAR) AS retl_first_sent_at, CAST(NULL AS VARCHAR) AS "first_name", CAST(NULL AS DECIMAL(10,2)) AS "spent", CAST(NULL AS TIMESTAMP) AS "Since", CAST(NULL AS JSON) AS "tags", 
    FALSE AS retl_in_snapshot, FALSE AS retl_uncertain, FALSE AS retl_removing
  FROM (SELECT 1 AS retl_number) AS retl_row WHERE FALSE
)
SELECT c.*,
  CASE WHEN c.retl_op = 'remove' THEN k.retl_email END AS retl_email, CASE WHEN c.retl_op = 'remove' THEN k.retl_phone_e164 END AS retl_phone_e164, CASE WHEN c.retl_op = 'remove' THEN k.retl_external_id END AS retl_external_id, CASE WHEN c.retl_op = 'remove' THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id, k.retl_first_sent_at AS retl_first_sent_at
FROM memory.main."changed_vip_0a1b2c3d" AS c LEFT JOIN known AS k ON c.retl_identity = k.retl_identity
) ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity);

-- diff 7
DROP TABLE memory.main."changed_vip_0a1b2c3d";

-- diff 8
CREATE OR REPLACE TABLE memory.main."changed_vip_0a1b2c3d" AS
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM memory.main."staged_vip_0a1b2c3d" AS s JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."first_name", s."spent", s."Since", s."tags", s.retl_stored_0, 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."first_name" AS "first_name", CASE WHEN 'n:' || CAST(CAST(s."spent" AS DOUBLE) AS VARCHAR) = CASE WHEN LENGTH(REPLACE(REPLACE(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR), '-', ''), '.', '')) <= 15 THEN 'n:' || CAST(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS DOUBLE) AS VARCHAR) ELSE 's:' || CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR) END THEN TRY_CAST(s."spent" AS DECIMAL(10,2)) END AS "spent", CAST(NULL AS TIMESTAMP) AS "Since", s."tags" AS "tags", s."spent" AS retl_stored_0
    FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_vip_0a1b2c3d")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_vip_0a1b2c3d")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  COALESCE(d.retl_list_id, k.retl_list_id) AS retl_list_id,
  COALESCE(d.retl_identity, k.retl_identity) AS retl_identity
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL OR k.retl_uncertain
  OR ((d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM k.retl_phone_e164)
    OR (d."first_name" IS NOT NULL AND d."first_name" IS DISTINCT FROM k."first_name")
    OR (d."spent" IS NOT NULL AND d."spent" IS DISTINCT FROM k."spent")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
    OR (d."tags" IS NOT NULL AND d."tags" IS DISTINCT FROM k."tags"));

-- diff 9
CREATE OR REPLACE TABLE memory.main."planned_vip_0a1b2c3d" AS
SELECT ROW_NUMBER() OVER () AS retl_seq, *
FROM (SELECT * FROM (
WITH known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."first_name", s."spent", s."Since", s."tags", s.retl_stored_0, 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."first_name" AS "first_name", CASE WHEN 'n:' || CAST(CAST(s."spent" AS DOUBLE) AS VARCHAR) = CASE WHEN LENGTH(REPLACE(REPLACE(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR), '-', ''), '.', '')) <= 15 THEN 'n:' || CAST(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS DOUBLE) AS VARCHAR) ELSE 's:' || CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR) END THEN TRY_CAST(s."spent" AS DECIMAL(10,2)) END AS "spent", CAST(NULL AS TIMESTAMP) AS "Since", s."tags" AS "tags", s."spent" AS retl_stored_0
    FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_vip_0a1b2c3d")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_vip_0a1b2c3d")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT c.*,
  CASE WHEN c.retl_op = 'remove' THEN k.retl_email END AS retl_email, CASE WHEN c.retl_op = 'remove' THEN k.retl_phone_e164 END AS retl_phone_e164, CASE WHEN c.retl_op = 'remove' THEN k.retl_external_id END AS retl_external_id, CASE WHEN c.retl_op = 'remove' THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id, k.retl_first_sent_at AS retl_first_sent_at
FROM memory.main."changed_vip_0a1b2c3d" AS c LEFT JOIN known AS k ON c.retl_identity = k.retl_identity
) ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity);

-- diff 10
DROP TABLE memory.main."changed_vip_0a1b2c3d";

-- diff 11
CREATE OR REPLACE TABLE memory.main."changed_vip_0a1b2c3d" AS
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM memory.main."staged_vip_0a1b2c3d" AS s JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."first_name", s."spent", s."Since", s."tags", s.retl_stored_0, 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, CASE WHEN ROW_NUMBER() OVER (PARTITION BY s.retl_list_id, CASE WHEN s.retl_email IS NOT NULL THEN 'email:' || s.retl_email WHEN s.retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || s.retl_phone_e164 ELSE s.retl_identity END ORDER BY s.retl_identity) = 1 THEN CASE WHEN s.retl_email IS NOT NULL THEN 'email:' || s.retl_email WHEN s.retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || s.retl_phone_e164 ELSE s.retl_identity END ELSE s.retl_identity END AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."first_name" AS "first_name", CASE WHEN 'n:' || CAST(CAST(s."spent" AS DOUBLE) AS VARCHAR) = CASE WHEN LENGTH(REPLACE(REPLACE(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR), '-', ''), '.', '')) <= 15 THEN 'n:' || CAST(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS DOUBLE) AS VARCHAR) ELSE 's:' || CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR) END THEN TRY_CAST(s."spent" AS DECIMAL(10,2)) END AS "spent", CAST(NULL AS TIMESTAMP) AS "Since", s."tags" AS "tags", s."spent" AS retl_stored_0
    FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_vip_0a1b2c3d")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, CASE WHEN ROW_NUMBER() OVER (PARTITION BY u.retl_list_id, CASE WHEN u.retl_email IS NOT NULL THEN 'email:' || u.retl_email WHEN u.retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || u.retl_phone_e164 ELSE u.retl_identity END ORDER BY u.retl_identity) = 1 THEN CASE WHEN u.retl_email IS NOT NULL THEN 'email:' || u.retl_email WHEN u.retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || u.retl_phone_e164 ELSE u.retl_identity END ELSE u.retl_identity END AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_vip_0a1b2c3d")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  COALESCE(d.retl_list_id, k.retl_list_id) AS retl_list_id,
  COALESCE(d.retl_identity, k.retl_identity) AS retl_identity
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL OR k.retl_uncertain
  OR (TRUE);

-- diff 12
CREATE OR REPLACE TABLE memory.main."planned_vip_0a1b2c3d" AS
SELECT ROW_NUMBER() OVER () AS retl_seq, *
FROM (SELECT * FROM (
WITH known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."first_name", s."spent", s."Since", s."tags", s.retl_stored_0, 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, CASE WHEN ROW_NUMBER() OVER (PARTITION BY s.retl_list_id, CASE WHEN s.retl_email IS NOT NULL THEN 'email:' || s.retl_email WHEN s.retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || s.retl_phone_e164 ELSE s.retl_identity END ORDER BY s.retl_identity) = 1 THEN CASE WHEN s.retl_email IS NOT NULL THEN 'email:' || s.retl_email WHEN s.retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || s.retl_phone_e164 ELSE s.retl_identity END ELSE s.retl_identity END AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."first_name" AS "first_name", CASE WHEN 'n:' || CAST(CAST(s."spent" AS DOUBLE) AS VARCHAR) = CASE WHEN LENGTH(REPLACE(REPLACE(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR), '-', ''), '.', '')) <= 15 THEN 'n:' || CAST(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS DOUBLE) AS VARCHAR) ELSE 's:' || CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR) END THEN TRY_CAST(s."spent" AS DECIMAL(10,2)) END AS "spent", CAST(NULL AS TIMESTAMP) AS "Since", s."tags" AS "tags", s."spent" AS retl_stored_0
    FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_vip_0a1b2c3d")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, CASE WHEN ROW_NUMBER() OVER (PARTITION BY u.retl_list_id, CASE WHEN u.retl_email IS NOT NULL THEN 'email:' || u.retl_email WHEN u.retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || u.retl_phone_e164 ELSE u.retl_identity END ORDER BY u.retl_identity) = 1 THEN CASE WHEN u.retl_email IS NOT NULL THEN 'email:' || u.retl_email WHEN u.retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || u.retl_phone_e164 ELSE u.retl_identity END ELSE u.retl_identity END AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_vip_0a1b2c3d")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT c.*,
  CASE WHEN c.retl_op = 'remove' THEN k.retl_email END AS retl_email, CASE WHEN c.retl_op = 'remove' THEN k.retl_phone_e164 END AS retl_phone_e164, CASE WHEN c.retl_op = 'remove' THEN k.retl_external_id END AS retl_external_id, CASE WHEN c.retl_op = 'remove' THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id, k.retl_first_sent_at AS retl_first_sent_at
FROM memory.main."changed_vip_0a1b2c3d" AS c LEFT JOIN known AS k ON c.retl_identity = k.retl_identity
) ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity);

-- diff 13
DROP TABLE memory.main."changed_vip_0a1b2c3d";

-- diff 14
DELETE FROM memory.main."planned_vip_0a1b2c3d" WHERE retl_op <> 'remove' AND retl_seq NOT IN (
  SELECT retl_seq FROM memory.main."planned_vip_0a1b2c3d" WHERE retl_op <> 'remove' ORDER BY retl_seq LIMIT 5);

-- diff 15
UPDATE memory.main."planned_vip_0a1b2c3d" SET retl_op = 'deferred' WHERE retl_op = 'remove';

-- diff 16
CREATE OR REPLACE TABLE memory.main."changed_clubs_4e5f6a7b" AS
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, CASE WHEN s.retl_omits_email THEN NULL ELSE s.retl_email END AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id
  FROM memory.main."staged_clubs_4e5f6a7b" AS s JOIN memory.main."lists_clubs_4e5f6a7b" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 

    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at
    FROM "reverse_etl_state".main."snapshot_clubs_4e5f6a7b" AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM memory.main."lists_clubs_4e5f6a7b")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "reverse_etl_state".main."deltas_clubs_4e5f6a7b" AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM memory.main."lists_clubs_4e5f6a7b")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  COALESCE(d.retl_list_id, k.retl_list_id) AS retl_list_id,
  COALESCE(d.retl_identity, k.retl_identity) AS retl_identity
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_list_id = k.retl_list_id AND d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL OR k.retl_uncertain
  OR ((d.retl_email IS NOT NULL AND d.retl_email IS DISTINCT FROM k.retl_email));

-- diff 17
CREATE OR REPLACE TABLE memory.main."planned_clubs_4e5f6a7b" AS
SELECT ROW_NUMBER() OVER () AS retl_seq, *
FROM (SELECT * FROM (
WITH known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 

    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at
    FROM "reverse_etl_state".main."snapshot_clubs_4e5f6a7b" AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM memory.main."lists_clubs_4e5f6a7b")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "reverse_etl_state".main."deltas_clubs_4e5f6a7b" AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM memory.main."lists_clubs_4e5f6a7b")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT c.*,
  CASE WHEN c.retl_op = 'remove' THEN k.retl_email END AS retl_email, CASE WHEN c.retl_op = 'remove' THEN k.retl_phone_e164 END AS retl_phone_e164, CASE WHEN c.retl_op = 'remove' THEN k.retl_external_id END AS retl_external_id, CASE WHEN c.retl_op = 'remove' THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id, k.retl_first_sent_at AS retl_first_sent_at
FROM memory.main."changed_clubs_4e5f6a7b" AS c LEFT JOIN known AS k ON c.retl_list_id = k.retl_list_id AND c.retl_identity = k.retl_identity
) ORDER BY retl_list_id, CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity);

-- diff 18
DROP TABLE memory.main."changed_clubs_4e5f6a7b";

-- diff 19
CREATE OR REPLACE TABLE memory.main."changed_vip_0a1b2c3d" AS
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM memory.main."staged_vip_0a1b2c3d" AS s JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."first_name", s."spent", s."Since", s."tags", s.retl_stored_0, 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL OR s.retl_list_id IN ('L1', 'L2') AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."first_name" AS "first_name", CASE WHEN 'n:' || CAST(CAST(s."spent" AS DOUBLE) AS VARCHAR) = CASE WHEN LENGTH(REPLACE(REPLACE(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR), '-', ''), '.', '')) <= 15 THEN 'n:' || CAST(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS DOUBLE) AS VARCHAR) ELSE 's:' || CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR) END THEN TRY_CAST(s."spent" AS DECIMAL(10,2)) END AS "spent", CAST(NULL AS TIMESTAMP) AS "Since", s."tags" AS "tags", s."spent" AS retl_stored_0
    FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_vip_0a1b2c3d")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_vip_0a1b2c3d")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  COALESCE(d.retl_list_id, k.retl_list_id) AS retl_list_id,
  COALESCE(d.retl_identity, k.retl_identity) AS retl_identity
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL OR k.retl_uncertain
  OR ((d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM k.retl_phone_e164)
    OR (d."first_name" IS NOT NULL AND d."first_name" IS DISTINCT FROM k."first_name")
    OR (d."spent" IS NOT NULL AND d."spent" IS DISTINCT FROM k."spent")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
    OR (d."tags" IS NOT NULL AND d."tags" IS DISTINCT FROM k."tags"));

-- diff 20
CREATE OR REPLACE TABLE memory.main."planned_vip_0a1b2c3d" AS
SELECT ROW_NUMBER() OVER () AS retl_seq, *
FROM (SELECT * FROM (
WITH known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."first_name", s."spent", s."Since", s."tags", s.retl_stored_0, 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL OR s.retl_list_id IN ('L1', 'L2') AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."first_name" AS "first_name", CASE WHEN 'n:' || CAST(CAST(s."spent" AS DOUBLE) AS VARCHAR) = CASE WHEN LENGTH(REPLACE(REPLACE(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR), '-', ''), '.', '')) <= 15 THEN 'n:' || CAST(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS DOUBLE) AS VARCHAR) ELSE 's:' || CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR) END THEN TRY_CAST(s."spent" AS DECIMAL(10,2)) END AS "spent", CAST(NULL AS TIMESTAMP) AS "Since", s."tags" AS "tags", s."spent" AS retl_stored_0
    FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_vip_0a1b2c3d")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_vip_0a1b2c3d")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT c.*,
  CASE WHEN c.retl_op = 'remove' THEN k.retl_email END AS retl_email, CASE WHEN c.retl_op = 'remove' THEN k.retl_phone_e164 END AS retl_phone_e164, CASE WHEN c.retl_op = 'remove' THEN k.retl_external_id END AS retl_external_id, CASE WHEN c.retl_op = 'remove' THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id, k.retl_first_sent_at AS retl_first_sent_at
FROM memory.main."changed_vip_0a1b2c3d" AS c LEFT JOIN known AS k ON c.retl_identity = k.retl_identity
) ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity);

-- diff 21
DROP TABLE memory.main."changed_vip_0a1b2c3d";

-- diff 22
DELETE FROM memory.main."planned_vip_0a1b2c3d" AS retl_p
WHERE retl_p.retl_op = 'remove' AND EXISTS (
  SELECT 1 FROM memory.main."staged_vip_0a1b2c3d" AS s JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NOT NULL AND s.retl_identity = retl_p.retl_identity AND l.retl_list_id = retl_p.retl_list_id);

-- diff 23
UPDATE memory.main."planned_vip_0a1b2c3d" AS p SET retl_op = 'held'
FROM (
SELECT p.retl_seq FROM memory.main."planned_vip_0a1b2c3d" AS p JOIN memory.main."staged_vip_0a1b2c3d" AS s ON s.retl_email = p.retl_email WHERE p.retl_op = 'remove' AND s.retl_problem IS NOT NULL
UNION SELECT p.retl_seq FROM memory.main."planned_vip_0a1b2c3d" AS p JOIN memory.main."staged_vip_0a1b2c3d" AS s ON s.retl_phone_e164 = p.retl_phone_e164 WHERE p.retl_op = 'remove' AND s.retl_problem IS NOT NULL
UNION SELECT p.retl_seq FROM memory.main."planned_vip_0a1b2c3d" AS p JOIN memory.main."staged_vip_0a1b2c3d" AS s ON s.retl_external_id = p.retl_external_id WHERE p.retl_op = 'remove' AND s.retl_problem IS NOT NULL
UNION SELECT p.retl_seq FROM memory.main."planned_vip_0a1b2c3d" AS p JOIN memory.main."staged_vip_0a1b2c3d" AS s ON s.retl_klaviyo_profile_id = p.retl_klaviyo_profile_id WHERE p.retl_op = 'remove' AND s.retl_problem IS NOT NULL
) AS h WHERE p.retl_seq = h.retl_seq;

-- diff 24
SELECT retl_list_id, retl_op, COUNT(*) FROM memory.main."planned_vip_0a1b2c3d" GROUP BY retl_list_id, retl_op ORDER BY retl_list_id, retl_op;

-- diff 25
SELECT COUNT(*) AS retl_rows, CAST(COALESCE(BIT_XOR(MD5_NUMBER(CAST(JSON_ARRAY(p.retl_op, p.retl_list_id, p.retl_identity, p.retl_first_sent_at, COALESCE(p.retl_email, d.retl_email), COALESCE(p.retl_phone_e164, d.retl_phone_e164), COALESCE(p.retl_external_id, d.retl_external_id), COALESCE(p.retl_klaviyo_profile_id, d.retl_klaviyo_profile_id), d."first_name", d."spent", d."Since", d."tags") AS VARCHAR))), 0) AS VARCHAR) AS retl_digest
FROM memory.main."planned_vip_0a1b2c3d" AS p LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM memory.main."staged_vip_0a1b2c3d" AS s JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_identity = p.retl_identity;

-- diff 26
SELECT COUNT(*) AS retl_rows, CAST(COALESCE(BIT_XOR(MD5_NUMBER(CAST(JSON_ARRAY(p.retl_op, p.retl_list_id, p.retl_identity, p.retl_first_sent_at, COALESCE(p.retl_email, d.retl_email), COALESCE(p.retl_phone_e164, d.retl_phone_e164), COALESCE(p.retl_external_id, d.retl_external_id), COALESCE(p.retl_klaviyo_profile_id, d.retl_klaviyo_profile_id)) AS VARCHAR))), 0) AS VARCHAR) AS retl_digest
FROM memory.main."planned_clubs_4e5f6a7b" AS p LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, CASE WHEN s.retl_omits_email THEN NULL ELSE s.retl_email END AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id
  FROM memory.main."staged_clubs_4e5f6a7b" AS s JOIN memory.main."lists_clubs_4e5f6a7b" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_list_id = p.retl_list_id AND d.retl_identity = p.retl_identity;

-- diff 27
SELECT retl_list_id, COUNT(*) - COUNT(COALESCE(retl_email, retl_phone_e164)), COUNT(retl_email), COUNT(retl_phone_e164), COUNT(retl_external_id), COUNT(retl_klaviyo_profile_id) FROM memory.main."planned_vip_0a1b2c3d" WHERE retl_op = 'remove' GROUP BY retl_list_id ORDER BY retl_list_id;

-- diff 28
SELECT retl_list_id, COUNT(*) FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" GROUP BY retl_list_id ORDER BY retl_list_id;

-- diff 29
SELECT retl_list_id, COUNT(*) FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" GROUP BY retl_list_id ORDER BY retl_list_id;

-- diff 30
SELECT p.retl_list_id, p.retl_op, p.retl_identity, d.retl_email, d.retl_phone_e164, d.retl_external_id, d.retl_klaviyo_profile_id, d."first_name", d."spent", d."Since", d."tags",
  k.retl_email, k.retl_phone_e164, k.retl_external_id, k.retl_klaviyo_profile_id, k."first_name", k."spent", k."Since", k."tags", k.retl_stored_0
FROM (
  SELECT * FROM memory.main."planned_vip_0a1b2c3d" WHERE retl_op <> 'deferred'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY retl_list_id, retl_op ORDER BY retl_seq) <= 3
) AS p
LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM memory.main."staged_vip_0a1b2c3d" AS s JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_identity = p.retl_identity
LEFT JOIN (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."first_name", s."spent", s."Since", s."tags", s.retl_stored_0, 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."first_name" AS "first_name", CASE WHEN 'n:' || CAST(CAST(s."spent" AS DOUBLE) AS VARCHAR) = CASE WHEN LENGTH(REPLACE(REPLACE(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR), '-', ''), '.', '')) <= 15 THEN 'n:' || CAST(CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS DOUBLE) AS VARCHAR) ELSE 's:' || CAST(TRY_CAST(s."spent" AS DECIMAL(10,2)) AS VARCHAR) END THEN TRY_CAST(s."spent" AS DECIMAL(10,2)) END AS "spent", CAST(NULL AS TIMESTAMP) AS "Since", s."tags" AS "tags", s."spent" AS retl_stored_0
    FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_vip_0a1b2c3d")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_vip_0a1b2c3d")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
) AS k ON k.retl_identity = p.retl_identity
ORDER BY p.retl_seq;

-- diff 31
SELECT p.retl_list_id, p.retl_op, p.retl_identity, d.retl_email, d.retl_phone_e164, d.retl_external_id, d.retl_klaviyo_profile_id, d."first_name", d."spent", d."Since", d."tags",
  k.retl_email, k.retl_phone_e164, k.retl_external_id, k.retl_klaviyo_profile_id, k."first_name", k."spent", k."Since", k."tags"
FROM (
  SELECT * FROM memory.main."planned_vip_0a1b2c3d" WHERE retl_op <> 'deferred'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY retl_list_id, retl_op ORDER BY retl_seq) <= 3
) AS p
LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM memory.main."staged_vip_0a1b2c3d" AS s JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_identity = p.retl_identity
LEFT JOIN (
  SELECT CAST(NULL AS VARCHAR) AS retl_list_id, CAST(NULL AS VARCHAR) AS retl_identity, CAST(NULL AS VARCHAR) AS retl_email, CAST(NULL AS VARCHAR) AS retl_phone_e164, CAST(NULL AS VARCHAR) AS retl_external_id, CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id, CAST(NULL AS VARCHAR) AS retl_first_sent_at, CAST(NULL AS VARCHAR) AS "first_name", CAST(NULL AS DECIMAL(10,2)) AS "spent", CAST(NULL AS TIMESTAMP) AS "Since", CAST(NULL AS JSON) AS "tags", 
    FALSE AS retl_in_snapshot, FALSE AS retl_uncertain, FALSE AS retl_removing
  FROM (SELECT 1 AS retl_number) AS retl_row WHERE FALSE
) AS k ON k.retl_identity = p.retl_identity
ORDER BY p.retl_seq;

-- diff 32
CREATE OR REPLACE TABLE memory.main."planned_vip_0a1b2c3d" AS
SELECT CAST(CASE retl_list_id WHEN ? THEN ? WHEN ? THEN ? ELSE retl_list_id END AS VARCHAR) AS retl_list_id,
  retl_seq, retl_op, retl_in_snapshot, retl_uncertain, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at
FROM memory.main."planned_vip_0a1b2c3d";
-- with ('new:VIP', 'L1', 'new:Tea', 'L2')
