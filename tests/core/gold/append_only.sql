-- append_only 1
CREATE TABLE memory.main."staged_codes_8c9d0e1f" AS
SELECT CAST('' AS VARCHAR) AS retl_list,
  'key:' || REPLACE(REPLACE(NULLIF(CAST("coupon" AS VARCHAR), ''), '%', '%25'), '|', '%7C') || '|' || CASE WHEN "code" = FLOOR("code") THEN CAST(CAST("code" AS DECIMAL(38, 0)) AS VARCHAR) ELSE RTRIM(CAST("code" AS VARCHAR), '0') END AS retl_identity,
  retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id,
  CAST(CASE
    WHEN 'key:' || REPLACE(REPLACE(NULLIF(CAST("coupon" AS VARCHAR), ''), '%', '%25'), '|', '%7C') || '|' || CASE WHEN "code" = FLOOR("code") THEN CAST(CAST("code" AS DECIMAL(38, 0)) AS VARCHAR) ELSE RTRIM(CAST("code" AS VARCHAR), '0') END IS NULL THEN 'no_key'
  END AS VARCHAR) AS retl_problem,
  CAST(NULL AS VARCHAR) AS retl_detail, CAST("coupon" AS VARCHAR) AS "coupon", "code", "percent"
FROM (
  SELECT '' AS retl_list_raw,
    CAST(NULL AS VARCHAR) AS retl_email,
    CAST(NULL AS VARCHAR) AS retl_phone_e164,
    CAST(NULL AS VARCHAR) AS retl_external_id,
    CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id, "coupon", "code", "percent"
  FROM (SELECT * FROM (
select * from codes
  ) AS retl_model) AS retl_flagged
) AS retl_rows;

-- append_only 2
UPDATE memory.main."staged_codes_8c9d0e1f" AS s SET retl_problem = 'changed', retl_detail = SUBSTR(c.retl_names, 3)
FROM (
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."coupon", s."code", s."percent"
  FROM memory.main."staged_codes_8c9d0e1f" AS s JOIN memory.main."lists_codes_8c9d0e1f" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."coupon", s."code", s."percent", 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."coupon" AS "coupon", s."code" AS "code", s."percent" AS "percent"
    FROM "reverse_etl_state".main."snapshot_codes_8c9d0e1f" AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_codes_8c9d0e1f")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "reverse_etl_state".main."deltas_codes_8c9d0e1f" AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_codes_8c9d0e1f")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT d.retl_list_id, d.retl_identity, CONCAT('',
  CASE WHEN k."coupon" IS NOT NULL AND (d."coupon" IS NOT NULL AND d."coupon" IS DISTINCT FROM k."coupon") THEN ', coupon' ELSE '' END,
  CASE WHEN k."code" IS NOT NULL AND (d."code" IS NOT NULL AND d."code" IS DISTINCT FROM k."code") THEN ', code' ELSE '' END,
  CASE WHEN k."percent" IS NOT NULL AND (d."percent" IS NOT NULL AND d."percent" IS DISTINCT FROM k."percent") THEN ', percent' ELSE '' END) AS retl_names
FROM desired AS d JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE k.retl_in_snapshot AND ((k."coupon" IS NOT NULL AND (d."coupon" IS NOT NULL AND d."coupon" IS DISTINCT FROM k."coupon"))
  OR (k."code" IS NOT NULL AND (d."code" IS NOT NULL AND d."code" IS DISTINCT FROM k."code"))
  OR (k."percent" IS NOT NULL AND (d."percent" IS NOT NULL AND d."percent" IS DISTINCT FROM k."percent")))
) AS c, memory.main."lists_codes_8c9d0e1f" AS l
WHERE s.retl_problem IS NULL AND s.retl_list = l.retl_list AND c.retl_list_id = l.retl_list_id
AND s.retl_identity = c.retl_identity;

-- append_only 3
CREATE OR REPLACE TABLE memory.main."changed_codes_8c9d0e1f" AS
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."coupon", s."code", s."percent"
  FROM memory.main."staged_codes_8c9d0e1f" AS s JOIN memory.main."lists_codes_8c9d0e1f" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT CAST(NULL AS VARCHAR) AS retl_list_id, CAST(NULL AS VARCHAR) AS retl_identity, CAST(NULL AS VARCHAR) AS retl_email, CAST(NULL AS VARCHAR) AS retl_phone_e164, CAST(NULL AS VARCHAR) AS retl_external_id, CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id, CAST(NULL AS VARCHAR) AS retl_first_sent_at, CAST(NULL AS VARCHAR) AS "coupon", CAST(NULL AS DECIMAL(10,2)) AS "code", CAST(NULL AS BIGINT) AS "percent", 
    FALSE AS retl_in_snapshot, FALSE AS retl_uncertain, FALSE AS retl_removing
  FROM (SELECT 1 AS retl_number) AS retl_row WHERE FALSE
)
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  COALESCE(d.retl_list_id, k.retl_list_id) AS retl_list_id,
  COALESCE(d.retl_identity, k.retl_identity) AS retl_identity
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE NOT COALESCE(k.retl_in_snapshot, FALSE);

-- append_only 4
CREATE OR REPLACE TABLE memory.main."planned_codes_8c9d0e1f" AS
SELECT ROW_NUMBER() OVER () AS retl_seq, *
FROM (SELECT * FROM (
WITH known AS (
  SELECT CAST(NULL AS VARCHAR) AS retl_list_id, CAST(NULL AS VARCHAR) AS retl_identity, CAST(NULL AS VARCHAR) AS retl_email, CAST(NULL AS VARCHAR) AS retl_phone_e164, CAST(NULL AS VARCHAR) AS retl_external_id, CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id, CAST(NULL AS VARCHAR) AS retl_first_sent_at, CAST(NULL AS VARCHAR) AS "coupon", CAST(NULL AS DECIMAL(10,2)) AS "code", CAST(NULL AS BIGINT) AS "percent", 
    FALSE AS retl_in_snapshot, FALSE AS retl_uncertain, FALSE AS retl_removing
  FROM (SELECT 1 AS retl_number) AS retl_row WHERE FALSE
)
SELECT c.*,
  CASE WHEN c.retl_op = 'remove' THEN k.retl_email END AS retl_email, CASE WHEN c.retl_op = 'remove' THEN k.retl_phone_e164 END AS retl_phone_e164, CASE WHEN c.retl_op = 'remove' THEN k.retl_external_id END AS retl_external_id, CASE WHEN c.retl_op = 'remove' THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id, k.retl_first_sent_at AS retl_first_sent_at
FROM memory.main."changed_codes_8c9d0e1f" AS c LEFT JOIN known AS k ON c.retl_identity = k.retl_identity
) ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity);

-- append_only 5
DROP TABLE memory.main."changed_codes_8c9d0e1f";

-- append_only 6
CREATE OR REPLACE TABLE memory.main."changed_codes_8c9d0e1f" AS
WITH desired AS (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."coupon", s."code", s."percent"
  FROM memory.main."staged_codes_8c9d0e1f" AS s JOIN memory.main."lists_codes_8c9d0e1f" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
),
known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."coupon", s."code", s."percent", 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."coupon" AS "coupon", s."code" AS "code", s."percent" AS "percent"
    FROM "reverse_etl_state".main."snapshot_codes_8c9d0e1f" AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_codes_8c9d0e1f")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "reverse_etl_state".main."deltas_codes_8c9d0e1f" AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_codes_8c9d0e1f")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT CAST(CASE WHEN d.retl_identity IS NULL THEN 'remove' WHEN k.retl_in_snapshot THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op,
  COALESCE(k.retl_in_snapshot AND NOT (d.retl_identity IS NULL AND k.retl_removing), FALSE) AS retl_in_snapshot,
  COALESCE(k.retl_uncertain, FALSE) AS retl_uncertain,
  COALESCE(d.retl_list_id, k.retl_list_id) AS retl_list_id,
  COALESCE(d.retl_identity, k.retl_identity) AS retl_identity
FROM desired AS d FULL OUTER JOIN known AS k ON d.retl_identity = k.retl_identity
WHERE NOT COALESCE(k.retl_in_snapshot, FALSE);

-- append_only 7
CREATE OR REPLACE TABLE memory.main."planned_codes_8c9d0e1f" AS
SELECT ROW_NUMBER() OVER () AS retl_seq, *
FROM (SELECT * FROM (
WITH known AS (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
COALESCE(s.retl_email, u.retl_email) AS retl_email, COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164, COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id, COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at, 
s."coupon", s."code", s."percent", 
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."coupon" AS "coupon", s."code" AS "code", s."percent" AS "percent"
    FROM "reverse_etl_state".main."snapshot_codes_8c9d0e1f" AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_codes_8c9d0e1f")
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
    FROM "reverse_etl_state".main."deltas_codes_8c9d0e1f" AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM memory.main."lists_codes_8c9d0e1f")
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
)
SELECT c.*,
  CASE WHEN c.retl_op = 'remove' THEN k.retl_email END AS retl_email, CASE WHEN c.retl_op = 'remove' THEN k.retl_phone_e164 END AS retl_phone_e164, CASE WHEN c.retl_op = 'remove' THEN k.retl_external_id END AS retl_external_id, CASE WHEN c.retl_op = 'remove' THEN k.retl_klaviyo_profile_id END AS retl_klaviyo_profile_id, k.retl_first_sent_at AS retl_first_sent_at
FROM memory.main."changed_codes_8c9d0e1f" AS c LEFT JOIN known AS k ON c.retl_identity = k.retl_identity
) ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity);

-- append_only 8
DROP TABLE memory.main."changed_codes_8c9d0e1f";

-- append_only 9
SELECT retl_seq, "coupon", CAST("code" AS VARCHAR) AS "code", "percent" FROM "reverse_etl_state".main."deltas_codes_8c9d0e1f"
WHERE retl_run_id = ? AND retl_list_id = ? AND retl_op IN ('add', 'update') AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq;
-- with ('r1', '', 1, 8)
