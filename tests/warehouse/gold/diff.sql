-- diff 1
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."FIRST_NAME", s."SPENT", s."Since", s."TAGS"
  FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."FIRST_NAME", s."SPENT", s."Since", s."TAGS", s.retl_stored_0, s.retl_stored_1, 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."FIRST_NAME" AS "FIRST_NAME", CASE WHEN 'n:' || CAST(CAST(s."SPENT" AS DOUBLE) AS VARCHAR) = CASE WHEN LENGTH(REPLACE(REPLACE(CAST(TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) AS VARCHAR), '-', ''), '.', '')) <= 15 THEN 'n:' || CAST(CAST(TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) AS DOUBLE) AS VARCHAR) ELSE 's:' || CAST(TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) AS VARCHAR) END THEN TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) END AS "SPENT", CAST(NULL AS TIMESTAMP_NTZ(9)) AS "Since", CASE WHEN 'j:' || CAST(TO_JSON(s."TAGS") AS VARCHAR) = 'j:' || CAST(TO_JSON(TRY_PARSE_JSON(CAST(s."TAGS" AS VARCHAR))) AS VARCHAR) THEN TRY_PARSE_JSON(CAST(s."TAGS" AS VARCHAR)) END AS "TAGS", s."SPENT" AS retl_stored_0, s."TAGS" AS retl_stored_1
    FROM "SHOP"."REVERSE_ETL"."SNAPSHOT_VIP_0A1B2C3D" AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT 1 AS retl_differs
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL
  OR ((d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM k.retl_phone_e164)
    OR (d."FIRST_NAME" IS NOT NULL AND d."FIRST_NAME" IS DISTINCT FROM k."FIRST_NAME")
    OR (d."SPENT" IS NOT NULL AND d."SPENT" IS DISTINCT FROM k."SPENT")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
    OR (d."TAGS" IS NOT NULL AND TO_JSON(d."TAGS") IS DISTINCT FROM TO_JSON(k."TAGS")))
LIMIT 1;

-- diff 2
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" (retl_seq BIGINT, retl_op VARCHAR, retl_in_snapshot BOOLEAN, retl_uncertain BOOLEAN, retl_list_id VARCHAR, retl_identity VARCHAR, retl_email VARCHAR, retl_phone_e164 VARCHAR, retl_external_id VARCHAR, retl_klaviyo_profile_id VARCHAR, retl_first_sent_at VARCHAR);

-- diff 3
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, CASE WHEN s.retl_omits_email THEN NULL ELSE s.retl_email END AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id
  FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_CLUBS_4E5F6A7B" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_CLUBS_4E5F6A7B" AS l ON s.retl_list = l.retl_list
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
    FROM "SHOP"."REVERSE_ETL"."SNAPSHOT_CLUBS_4E5F6A7B" AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_CLUBS_4E5F6A7B")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "SHOP"."REVERSE_ETL"."DELTAS_CLUBS_4E5F6A7B" AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_CLUBS_4E5F6A7B")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT 1 AS retl_differs
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_list_id = k.retl_list_id AND d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL
  OR ((d.retl_email IS NOT NULL AND d.retl_email IS DISTINCT FROM k.retl_email))
LIMIT 1;

-- diff 4
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_PLANNED_CLUBS_4E5F6A7B" (retl_seq BIGINT, retl_op VARCHAR, retl_in_snapshot BOOLEAN, retl_uncertain BOOLEAN, retl_list_id VARCHAR, retl_identity VARCHAR, retl_email VARCHAR, retl_phone_e164 VARCHAR, retl_external_id VARCHAR, retl_klaviyo_profile_id VARCHAR, retl_first_sent_at VARCHAR);

-- diff 5
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" AS
SELECT ROW_NUMBER() OVER (ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity) AS retl_seq, *
FROM (
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."FIRST_NAME", s."SPENT", s."Since", s."TAGS"
  FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT CAST(NULL AS VARCHAR) AS retl_list_id, CAST(NULL AS VARCHAR) AS retl_identity, CAST(NULL AS VARCHAR) AS retl_email, CAST(NULL AS VARCHAR) AS retl_phone_e164, CAST(NULL AS VARCHAR) AS retl_external_id, CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id, CAST(NULL AS VARCHAR) AS retl_first_sent_at, CAST(NULL AS VARCHAR) AS "FIRST_NAME", CAST(NULL AS NUMBER(10,2)) AS "SPENT", CAST(NULL AS TIMESTAMP_NTZ(9)) AS "Since", CAST(NULL AS VARIANT) AS "TAGS", 
    FALSE AS retl_in_snapshot, FALSE AS retl_uncertain, FALSE AS retl_removing
  FROM (SELECT 1 AS retl_number) AS retl_row WHERE FALSE
)
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  COALESCE(d.retl_list_id, k.retl_list_id) AS retl_list_id,
  COALESCE(d.retl_identity, k.retl_identity) AS retl_identity,
  CASE WHEN d.retl_identity IS NULL THEN k.retl_email END AS retl_email, CASE WHEN d.retl_identity IS NULL THEN k.retl_phone_e164 END AS retl_phone_e164, CASE WHEN d.retl_identity IS NULL THEN k.retl_external_id END AS retl_external_id, CASE WHEN d.retl_identity IS NULL THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id, k.retl_first_sent_at AS retl_first_sent_at
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL OR k.retl_uncertain
  OR ((d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM k.retl_phone_e164)
    OR (d."FIRST_NAME" IS NOT NULL AND d."FIRST_NAME" IS DISTINCT FROM k."FIRST_NAME")
    OR (d."SPENT" IS NOT NULL AND d."SPENT" IS DISTINCT FROM k."SPENT")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
    OR (d."TAGS" IS NOT NULL AND TO_JSON(d."TAGS") IS DISTINCT FROM TO_JSON(k."TAGS")))
) AS retl_rows;

-- diff 6
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" AS
SELECT ROW_NUMBER() OVER (ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity) AS retl_seq, *
FROM (
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."FIRST_NAME", s."SPENT", s."Since", s."TAGS"
  FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."FIRST_NAME", s."SPENT", s."Since", s."TAGS", s.retl_stored_0, s.retl_stored_1, 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."FIRST_NAME" AS "FIRST_NAME", CASE WHEN 'n:' || CAST(CAST(s."SPENT" AS DOUBLE) AS VARCHAR) = CASE WHEN LENGTH(REPLACE(REPLACE(CAST(TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) AS VARCHAR), '-', ''), '.', '')) <= 15 THEN 'n:' || CAST(CAST(TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) AS DOUBLE) AS VARCHAR) ELSE 's:' || CAST(TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) AS VARCHAR) END THEN TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) END AS "SPENT", CAST(NULL AS TIMESTAMP_NTZ(9)) AS "Since", CASE WHEN 'j:' || CAST(TO_JSON(s."TAGS") AS VARCHAR) = 'j:' || CAST(TO_JSON(TRY_PARSE_JSON(CAST(s."TAGS" AS VARCHAR))) AS VARCHAR) THEN TRY_PARSE_JSON(CAST(s."TAGS" AS VARCHAR)) END AS "TAGS", s."SPENT" AS retl_stored_0, s."TAGS" AS retl_stored_1
    FROM "SHOP"."REVERSE_ETL"."SNAPSHOT_VIP_0A1B2C3D" AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  COALESCE(d.retl_list_id, k.retl_list_id) AS retl_list_id,
  COALESCE(d.retl_identity, k.retl_identity) AS retl_identity,
  CASE WHEN d.retl_identity IS NULL THEN k.retl_email END AS retl_email, CASE WHEN d.retl_identity IS NULL THEN k.retl_phone_e164 END AS retl_phone_e164, CASE WHEN d.retl_identity IS NULL THEN k.retl_external_id END AS retl_external_id, CASE WHEN d.retl_identity IS NULL THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id, k.retl_first_sent_at AS retl_first_sent_at
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL OR k.retl_uncertain
  OR ((d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM k.retl_phone_e164)
    OR (d."FIRST_NAME" IS NOT NULL AND d."FIRST_NAME" IS DISTINCT FROM k."FIRST_NAME")
    OR (d."SPENT" IS NOT NULL AND d."SPENT" IS DISTINCT FROM k."SPENT")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
    OR (d."TAGS" IS NOT NULL AND TO_JSON(d."TAGS") IS DISTINCT FROM TO_JSON(k."TAGS")))
) AS retl_rows;

-- diff 7
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" AS
SELECT ROW_NUMBER() OVER (ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity) AS retl_seq, *
FROM (
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."FIRST_NAME", s."SPENT", s."Since", s."TAGS"
  FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."FIRST_NAME", s."SPENT", s."Since", s."TAGS", s.retl_stored_0, s.retl_stored_1, 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, CASE WHEN ROW_NUMBER() OVER (PARTITION BY s.retl_list_id, CASE WHEN s.retl_email IS NOT NULL THEN 'email:' || s.retl_email WHEN s.retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || s.retl_phone_e164 ELSE s.retl_identity END ORDER BY s.retl_identity) = 1 THEN CASE WHEN s.retl_email IS NOT NULL THEN 'email:' || s.retl_email WHEN s.retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || s.retl_phone_e164 ELSE s.retl_identity END ELSE s.retl_identity END AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."FIRST_NAME" AS "FIRST_NAME", CASE WHEN 'n:' || CAST(CAST(s."SPENT" AS DOUBLE) AS VARCHAR) = CASE WHEN LENGTH(REPLACE(REPLACE(CAST(TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) AS VARCHAR), '-', ''), '.', '')) <= 15 THEN 'n:' || CAST(CAST(TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) AS DOUBLE) AS VARCHAR) ELSE 's:' || CAST(TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) AS VARCHAR) END THEN TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) END AS "SPENT", CAST(NULL AS TIMESTAMP_NTZ(9)) AS "Since", CASE WHEN 'j:' || CAST(TO_JSON(s."TAGS") AS VARCHAR) = 'j:' || CAST(TO_JSON(TRY_PARSE_JSON(CAST(s."TAGS" AS VARCHAR))) AS VARCHAR) THEN TRY_PARSE_JSON(CAST(s."TAGS" AS VARCHAR)) END AS "TAGS", s."SPENT" AS retl_stored_0, s."TAGS" AS retl_stored_1
    FROM "SHOP"."REVERSE_ETL"."SNAPSHOT_VIP_0A1B2C3D" AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, CASE WHEN ROW_NUMBER() OVER (PARTITION BY u.retl_list_id, CASE WHEN u.retl_email IS NOT NULL THEN 'email:' || u.retl_email WHEN u.retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || u.retl_phone_e164 ELSE u.retl_identity END ORDER BY u.retl_identity) = 1 THEN CASE WHEN u.retl_email IS NOT NULL THEN 'email:' || u.retl_email WHEN u.retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || u.retl_phone_e164 ELSE u.retl_identity END ELSE u.retl_identity END AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  COALESCE(d.retl_list_id, k.retl_list_id) AS retl_list_id,
  COALESCE(d.retl_identity, k.retl_identity) AS retl_identity,
  CASE WHEN d.retl_identity IS NULL THEN k.retl_email END AS retl_email, CASE WHEN d.retl_identity IS NULL THEN k.retl_phone_e164 END AS retl_phone_e164, CASE WHEN d.retl_identity IS NULL THEN k.retl_external_id END AS retl_external_id, CASE WHEN d.retl_identity IS NULL THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id, k.retl_first_sent_at AS retl_first_sent_at
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL OR k.retl_uncertain
  OR (TRUE)
) AS retl_rows;

-- diff 8
DELETE FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" WHERE retl_op <> 'remove' AND retl_seq NOT IN (
  SELECT retl_seq FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" WHERE retl_op <> 'remove' ORDER BY retl_seq LIMIT 5);

-- diff 9
UPDATE "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" SET retl_op = 'deferred' WHERE retl_op = 'remove';

-- diff 10
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_PLANNED_CLUBS_4E5F6A7B" AS
SELECT ROW_NUMBER() OVER (ORDER BY retl_list_id, CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity) AS retl_seq, *
FROM (
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, CASE WHEN s.retl_omits_email THEN NULL ELSE s.retl_email END AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id
  FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_CLUBS_4E5F6A7B" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_CLUBS_4E5F6A7B" AS l ON s.retl_list = l.retl_list
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
    FROM "SHOP"."REVERSE_ETL"."SNAPSHOT_CLUBS_4E5F6A7B" AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_CLUBS_4E5F6A7B")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "SHOP"."REVERSE_ETL"."DELTAS_CLUBS_4E5F6A7B" AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_CLUBS_4E5F6A7B")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  COALESCE(d.retl_list_id, k.retl_list_id) AS retl_list_id,
  COALESCE(d.retl_identity, k.retl_identity) AS retl_identity,
  CASE WHEN d.retl_identity IS NULL THEN k.retl_email END AS retl_email, CASE WHEN d.retl_identity IS NULL THEN k.retl_phone_e164 END AS retl_phone_e164, CASE WHEN d.retl_identity IS NULL THEN k.retl_external_id END AS retl_external_id, CASE WHEN d.retl_identity IS NULL THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id, k.retl_first_sent_at AS retl_first_sent_at
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_list_id = k.retl_list_id AND d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL OR k.retl_uncertain
  OR ((d.retl_email IS NOT NULL AND d.retl_email IS DISTINCT FROM k.retl_email))
) AS retl_rows;

-- diff 11
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" AS
SELECT ROW_NUMBER() OVER (ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity) AS retl_seq, *
FROM (
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."FIRST_NAME", s."SPENT", s."Since", s."TAGS"
  FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."FIRST_NAME", s."SPENT", s."Since", s."TAGS", s.retl_stored_0, s.retl_stored_1, 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL OR s.retl_list_id IN ('L1', 'L2') AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."FIRST_NAME" AS "FIRST_NAME", CASE WHEN 'n:' || CAST(CAST(s."SPENT" AS DOUBLE) AS VARCHAR) = CASE WHEN LENGTH(REPLACE(REPLACE(CAST(TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) AS VARCHAR), '-', ''), '.', '')) <= 15 THEN 'n:' || CAST(CAST(TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) AS DOUBLE) AS VARCHAR) ELSE 's:' || CAST(TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) AS VARCHAR) END THEN TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) END AS "SPENT", CAST(NULL AS TIMESTAMP_NTZ(9)) AS "Since", CASE WHEN 'j:' || CAST(TO_JSON(s."TAGS") AS VARCHAR) = 'j:' || CAST(TO_JSON(TRY_PARSE_JSON(CAST(s."TAGS" AS VARCHAR))) AS VARCHAR) THEN TRY_PARSE_JSON(CAST(s."TAGS" AS VARCHAR)) END AS "TAGS", s."SPENT" AS retl_stored_0, s."TAGS" AS retl_stored_1
    FROM "SHOP"."REVERSE_ETL"."SNAPSHOT_VIP_0A1B2C3D" AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  COALESCE(d.retl_list_id, k.retl_list_id) AS retl_list_id,
  COALESCE(d.retl_identity, k.retl_identity) AS retl_identity,
  CASE WHEN d.retl_identity IS NULL THEN k.retl_email END AS retl_email, CASE WHEN d.retl_identity IS NULL THEN k.retl_phone_e164 END AS retl_phone_e164, CASE WHEN d.retl_identity IS NULL THEN k.retl_external_id END AS retl_external_id, CASE WHEN d.retl_identity IS NULL THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id, k.retl_first_sent_at AS retl_first_sent_at
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE d.retl_identity IS NULL OR k.retl_identity IS NULL OR k.retl_uncertain
  OR ((d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM k.retl_phone_e164)
    OR (d."FIRST_NAME" IS NOT NULL AND d."FIRST_NAME" IS DISTINCT FROM k."FIRST_NAME")
    OR (d."SPENT" IS NOT NULL AND d."SPENT" IS DISTINCT FROM k."SPENT")
    OR (d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM k."Since")
    OR (d."TAGS" IS NOT NULL AND TO_JSON(d."TAGS") IS DISTINCT FROM TO_JSON(k."TAGS")))
) AS retl_rows;

-- diff 12
DELETE FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" AS retl_p
WHERE retl_p.retl_op = 'remove' AND EXISTS (
  SELECT 1 FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NOT NULL AND s.retl_identity = retl_p.retl_identity AND l.retl_list_id = retl_p.retl_list_id);

-- diff 13
UPDATE "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" AS p SET retl_op = 'held'
FROM (
SELECT p.retl_seq FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" AS p JOIN "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s ON s.retl_email = p.retl_email WHERE p.retl_op = 'remove' AND s.retl_problem IS NOT NULL
UNION SELECT p.retl_seq FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" AS p JOIN "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s ON s.retl_phone_e164 = p.retl_phone_e164 WHERE p.retl_op = 'remove' AND s.retl_problem IS NOT NULL
UNION SELECT p.retl_seq FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" AS p JOIN "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s ON s.retl_external_id = p.retl_external_id WHERE p.retl_op = 'remove' AND s.retl_problem IS NOT NULL
UNION SELECT p.retl_seq FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" AS p JOIN "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s ON s.retl_klaviyo_profile_id = p.retl_klaviyo_profile_id WHERE p.retl_op = 'remove' AND s.retl_problem IS NOT NULL
) AS h WHERE p.retl_seq = h.retl_seq;

-- diff 14
SELECT retl_list_id, retl_op, COUNT(*) FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" GROUP BY retl_list_id, retl_op ORDER BY retl_list_id, retl_op;

-- diff 15
SELECT COALESCE(SUM(retl_rows), 0), MD5(COALESCE(LISTAGG(retl_digest, '') WITHIN GROUP (ORDER BY retl_part), ''))
FROM (
SELECT FLOOR(p.retl_seq / 10000) AS retl_part, COUNT(*) AS retl_rows,
  MD5(LISTAGG(MD5(TO_JSON(OBJECT_CONSTRUCT_KEEP_NULL('0', p.retl_op, '1', p.retl_list_id, '2', p.retl_identity, '3', p.retl_first_sent_at, '4', COALESCE(p.retl_email, d.retl_email), '5', COALESCE(p.retl_phone_e164, d.retl_phone_e164), '6', COALESCE(p.retl_external_id, d.retl_external_id), '7', COALESCE(p.retl_klaviyo_profile_id, d.retl_klaviyo_profile_id), '8', d."FIRST_NAME", '9', d."SPENT", '10', d."Since", '11', d."TAGS"))), '') WITHIN GROUP (ORDER BY p.retl_seq)) AS retl_digest
FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" AS p LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."FIRST_NAME", s."SPENT", s."Since", s."TAGS"
  FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_identity = p.retl_identity
GROUP BY FLOOR(p.retl_seq / 10000)
) AS retl_parts;

-- diff 16
SELECT COALESCE(SUM(retl_rows), 0), MD5(COALESCE(LISTAGG(retl_digest, '') WITHIN GROUP (ORDER BY retl_part), ''))
FROM (
SELECT FLOOR(p.retl_seq / 10000) AS retl_part, COUNT(*) AS retl_rows,
  MD5(LISTAGG(MD5(TO_JSON(OBJECT_CONSTRUCT_KEEP_NULL('0', p.retl_op, '1', p.retl_list_id, '2', p.retl_identity, '3', p.retl_first_sent_at, '4', COALESCE(p.retl_email, d.retl_email), '5', COALESCE(p.retl_phone_e164, d.retl_phone_e164), '6', COALESCE(p.retl_external_id, d.retl_external_id), '7', COALESCE(p.retl_klaviyo_profile_id, d.retl_klaviyo_profile_id)))), '') WITHIN GROUP (ORDER BY p.retl_seq)) AS retl_digest
FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_CLUBS_4E5F6A7B" AS p LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, CASE WHEN s.retl_omits_email THEN NULL ELSE s.retl_email END AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id
  FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_CLUBS_4E5F6A7B" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_CLUBS_4E5F6A7B" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_list_id = p.retl_list_id AND d.retl_identity = p.retl_identity
GROUP BY FLOOR(p.retl_seq / 10000)
) AS retl_parts;

-- diff 17
SELECT retl_list_id, COUNT(*) - COUNT(COALESCE(retl_email, retl_phone_e164)), COUNT(retl_email), COUNT(retl_phone_e164), COUNT(retl_external_id), COUNT(retl_klaviyo_profile_id) FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" WHERE retl_op = 'remove' GROUP BY retl_list_id ORDER BY retl_list_id;

-- diff 18
SELECT retl_list_id, COUNT(*) FROM "SHOP"."REVERSE_ETL"."SNAPSHOT_VIP_0A1B2C3D" GROUP BY retl_list_id ORDER BY retl_list_id;

-- diff 19
SELECT retl_list_id, COUNT(*) FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" GROUP BY retl_list_id ORDER BY retl_list_id;

-- diff 20
SELECT p.retl_list_id, p.retl_op, p.retl_identity, d.retl_email, d.retl_phone_e164, d.retl_external_id, d.retl_klaviyo_profile_id, d."FIRST_NAME", d."SPENT", d."Since", d."TAGS",
  k.retl_email, k.retl_phone_e164, k.retl_external_id, k.retl_klaviyo_profile_id, k."FIRST_NAME", k."SPENT", k."Since", k."TAGS", k.retl_stored_0, k.retl_stored_1
FROM (
  SELECT * FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" WHERE retl_op <> 'deferred'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY retl_list_id, retl_op ORDER BY retl_seq) <= 3
) AS p
LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."FIRST_NAME", s."SPENT", s."Since", s."TAGS"
  FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_identity = p.retl_identity
LEFT JOIN (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."FIRST_NAME", s."SPENT", s."Since", s."TAGS", s.retl_stored_0, s.retl_stored_1, 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."FIRST_NAME" AS "FIRST_NAME", CASE WHEN 'n:' || CAST(CAST(s."SPENT" AS DOUBLE) AS VARCHAR) = CASE WHEN LENGTH(REPLACE(REPLACE(CAST(TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) AS VARCHAR), '-', ''), '.', '')) <= 15 THEN 'n:' || CAST(CAST(TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) AS DOUBLE) AS VARCHAR) ELSE 's:' || CAST(TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) AS VARCHAR) END THEN TRY_CAST(CAST(s."SPENT" AS VARCHAR) AS NUMBER(10,2)) END AS "SPENT", CAST(NULL AS TIMESTAMP_NTZ(9)) AS "Since", CASE WHEN 'j:' || CAST(TO_JSON(s."TAGS") AS VARCHAR) = 'j:' || CAST(TO_JSON(TRY_PARSE_JSON(CAST(s."TAGS" AS VARCHAR))) AS VARCHAR) THEN TRY_PARSE_JSON(CAST(s."TAGS" AS VARCHAR)) END AS "TAGS", s."SPENT" AS retl_stored_0, s."TAGS" AS retl_stored_1
    FROM "SHOP"."REVERSE_ETL"."SNAPSHOT_VIP_0A1B2C3D" AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
) AS k ON k.retl_identity = p.retl_identity
ORDER BY p.retl_seq;

-- diff 21
SELECT p.retl_list_id, p.retl_op, p.retl_identity, d.retl_email, d.retl_phone_e164, d.retl_external_id, d.retl_klaviyo_profile_id, d."FIRST_NAME", d."SPENT", d."Since", d."TAGS",
  k.retl_email, k.retl_phone_e164, k.retl_external_id, k.retl_klaviyo_profile_id, k."FIRST_NAME", k."SPENT", k."Since", k."TAGS"
FROM (
  SELECT * FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" WHERE retl_op <> 'deferred'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY retl_list_id, retl_op ORDER BY retl_seq) <= 3
) AS p
LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."FIRST_NAME", s."SPENT", s."Since", s."TAGS"
  FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_identity = p.retl_identity
LEFT JOIN (
  SELECT CAST(NULL AS VARCHAR) AS retl_list_id, CAST(NULL AS VARCHAR) AS retl_identity, CAST(NULL AS VARCHAR) AS retl_email, CAST(NULL AS VARCHAR) AS retl_phone_e164, CAST(NULL AS VARCHAR) AS retl_external_id, CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id, CAST(NULL AS VARCHAR) AS retl_first_sent_at, CAST(NULL AS VARCHAR) AS "FIRST_NAME", CAST(NULL AS NUMBER(10,2)) AS "SPENT", CAST(NULL AS TIMESTAMP_NTZ(9)) AS "Since", CAST(NULL AS VARIANT) AS "TAGS", 
    FALSE AS retl_in_snapshot, FALSE AS retl_uncertain, FALSE AS retl_removing
  FROM (SELECT 1 AS retl_number) AS retl_row WHERE FALSE
) AS k ON k.retl_identity = p.retl_identity
ORDER BY p.retl_seq;

-- diff 22
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" AS
SELECT CAST(CASE retl_list_id WHEN ? THEN ? WHEN ? THEN ? ELSE retl_list_id END AS VARCHAR) AS retl_list_id,
  retl_seq, retl_op, retl_in_snapshot, retl_uncertain, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at
FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D";
-- with ('new:VIP', 'L1', 'new:Tea', 'L2')
