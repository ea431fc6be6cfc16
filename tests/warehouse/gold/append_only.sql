-- append_only 1
CREATE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_STAGED_CODES_8C9D0E1F" AS
SELECT CAST('' AS VARCHAR) AS retl_list,
  'key:' || REPLACE(REPLACE(NULLIF(CAST("COUPON" AS VARCHAR), ''), '%', '%25'), '|', '%7C') || '|' || CASE WHEN "CODE" = FLOOR("CODE") THEN CAST(CAST("CODE" AS DECIMAL(38, 0)) AS VARCHAR) ELSE RTRIM(CAST("CODE" AS VARCHAR), '0') END AS retl_identity,
  retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id,
  CAST(CASE
    WHEN 'key:' || REPLACE(REPLACE(NULLIF(CAST("COUPON" AS VARCHAR), ''), '%', '%25'), '|', '%7C') || '|' || CASE WHEN "CODE" = FLOOR("CODE") THEN CAST(CAST("CODE" AS DECIMAL(38, 0)) AS VARCHAR) ELSE RTRIM(CAST("CODE" AS VARCHAR), '0') END IS NULL THEN 'no_key'
  END AS VARCHAR) AS retl_problem,
  CAST(NULL AS VARCHAR) AS retl_detail, CAST("COUPON" AS VARCHAR) AS "COUPON", "CODE", "PERCENT"
FROM (
  SELECT '' AS retl_list_raw,
    CAST(NULL AS VARCHAR) AS retl_email,
    CAST(NULL AS VARCHAR) AS retl_phone_e164,
    CAST(NULL AS VARCHAR) AS retl_external_id,
    CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id, "COUPON", "CODE", "PERCENT"
  FROM (SELECT * FROM (
select * from codes
  ) AS retl_model) AS retl_flagged
) AS retl_rows;

-- append_only 2
UPDATE "SHOP"."REVERSE_ETL"."TEMP_STAGED_CODES_8C9D0E1F" AS s SET retl_problem = 'changed', retl_detail = SUBSTR(c.retl_names, 3)
FROM (
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."COUPON", s."CODE", s."PERCENT"
  FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_CODES_8C9D0E1F" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_CODES_8C9D0E1F" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."COUPON", s."CODE", s."PERCENT", 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."COUPON" AS "COUPON", s."CODE" AS "CODE", s."PERCENT" AS "PERCENT"
    FROM "SHOP"."REVERSE_ETL"."SNAPSHOT_CODES_8C9D0E1F" AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_CODES_8C9D0E1F")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "SHOP"."REVERSE_ETL"."DELTAS_CODES_8C9D0E1F" AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_CODES_8C9D0E1F")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT d.retl_list_id, d.retl_identity, CONCAT('',
  CASE WHEN k."COUPON" IS NOT NULL AND (d."COUPON" IS NOT NULL AND d."COUPON" IS DISTINCT FROM k."COUPON") THEN ', COUPON' ELSE '' END,
  CASE WHEN k."CODE" IS NOT NULL AND (d."CODE" IS NOT NULL AND d."CODE" IS DISTINCT FROM k."CODE") THEN ', CODE' ELSE '' END,
  CASE WHEN k."PERCENT" IS NOT NULL AND (d."PERCENT" IS NOT NULL AND d."PERCENT" IS DISTINCT FROM k."PERCENT") THEN ', PERCENT' ELSE '' END) AS retl_names
FROM desired AS d JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE k.retl_in_snapshot AND ((k."COUPON" IS NOT NULL AND (d."COUPON" IS NOT NULL AND d."COUPON" IS DISTINCT FROM k."COUPON"))
  OR (k."CODE" IS NOT NULL AND (d."CODE" IS NOT NULL AND d."CODE" IS DISTINCT FROM k."CODE"))
  OR (k."PERCENT" IS NOT NULL AND (d."PERCENT" IS NOT NULL AND d."PERCENT" IS DISTINCT FROM k."PERCENT")))
) AS c, "SHOP"."REVERSE_ETL"."TEMP_LISTS_CODES_8C9D0E1F" AS l
WHERE s.retl_problem IS NULL AND s.retl_list = l.retl_list AND c.retl_list_id = l.retl_list_id
AND s.retl_identity = c.retl_identity;

-- append_only 3
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_PLANNED_CODES_8C9D0E1F" AS
SELECT ROW_NUMBER() OVER (ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity) AS retl_seq, *
FROM (
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."COUPON", s."CODE", s."PERCENT"
  FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_CODES_8C9D0E1F" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_CODES_8C9D0E1F" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT CAST(NULL AS VARCHAR) AS retl_list_id, CAST(NULL AS VARCHAR) AS retl_identity, CAST(NULL AS VARCHAR) AS retl_email, CAST(NULL AS VARCHAR) AS retl_phone_e164, CAST(NULL AS VARCHAR) AS retl_external_id, CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id, CAST(NULL AS VARCHAR) AS retl_first_sent_at, CAST(NULL AS VARCHAR) AS "COUPON", CAST(NULL AS NUMBER(10,2)) AS "CODE", CAST(NULL AS BIGINT) AS "PERCENT", 
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
WHERE NOT COALESCE(k.retl_in_snapshot, FALSE)
) AS retl_rows;

-- append_only 4
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_PLANNED_CODES_8C9D0E1F" AS
SELECT ROW_NUMBER() OVER (ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity) AS retl_seq, *
FROM (
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."COUPON", s."CODE", s."PERCENT"
  FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_CODES_8C9D0E1F" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_CODES_8C9D0E1F" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."COUPON", s."CODE", s."PERCENT", 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."COUPON" AS "COUPON", s."CODE" AS "CODE", s."PERCENT" AS "PERCENT"
    FROM "SHOP"."REVERSE_ETL"."SNAPSHOT_CODES_8C9D0E1F" AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_CODES_8C9D0E1F")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "SHOP"."REVERSE_ETL"."DELTAS_CODES_8C9D0E1F" AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_CODES_8C9D0E1F")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  COALESCE(d.retl_list_id, k.retl_list_id) AS retl_list_id,
  COALESCE(d.retl_identity, k.retl_identity) AS retl_identity,
  CASE WHEN d.retl_identity IS NULL THEN k.retl_email END AS retl_email, CASE WHEN d.retl_identity IS NULL THEN k.retl_phone_e164 END AS retl_phone_e164, CASE WHEN d.retl_identity IS NULL THEN k.retl_external_id END AS retl_external_id, CASE WHEN d.retl_identity IS NULL THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id, k.retl_first_sent_at AS retl_first_sent_at
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE NOT COALESCE(k.retl_in_snapshot, FALSE)
) AS retl_rows;

-- append_only 5
SELECT retl_seq, "COUPON", CAST("CODE" AS VARCHAR) AS "CODE", "PERCENT" FROM "SHOP"."REVERSE_ETL"."DELTAS_CODES_8C9D0E1F"
WHERE retl_run_id = ? AND retl_list_id = ? AND retl_op IN ('add', 'update') AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq;
-- with ('r1', '', 1, 8)
