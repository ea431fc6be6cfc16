-- mark_claimed 1
duckdb:    CREATE OR REPLACE TABLE temp.marks_1_vip_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.marks_1_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
WITH upserts AS (
  SELECT s.retl_identity, s.retl_phone_e164 AS retl_phone_e164 FROM temp.staged_vip_0a1b2c3d AS s
  JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
  JOIN temp.planned_vip_0a1b2c3d AS p ON s.retl_identity = p.retl_identity AND l.retl_list_id = p.retl_list_id
  WHERE p.retl_op IN ('add', 'update') AND s.retl_problem IS NULL
  AND s.retl_identity <> 'phone_e164:' || s.retl_phone_e164
),
known AS (
SELECT retl_identity, retl_email, retl_phone_e164 FROM state.snapshot_vip_0a1b2c3d
  WHERE retl_phone_e164 IS NOT NULL AND retl_list_id IN (SELECT retl_list_id FROM temp.lists_vip_0a1b2c3d)
UNION ALL SELECT retl_identity, retl_email, retl_phone_e164 FROM state.deltas_vip_0a1b2c3d
  WHERE retl_phone_e164 IS NOT NULL AND retl_list_id IN (SELECT retl_list_id FROM temp.lists_vip_0a1b2c3d)
)
SELECT retl_list, retl_identity, CAST(NULL AS VARCHAR) AS retl_problem, CAST(NULL AS VARCHAR) AS retl_detail, CAST('phone_e164' AS VARCHAR) AS retl_omitted
FROM temp.staged_vip_0a1b2c3d WHERE retl_problem IS NULL AND retl_identity IN (
SELECT s.retl_identity FROM upserts AS s JOIN known AS k ON k.retl_phone_e164 = s.retl_phone_e164 AND k.retl_identity <> s.retl_identity
  JOIN temp.staged_vip_0a1b2c3d AS d ON d.retl_identity = k.retl_identity AND d.retl_identity <> s.retl_identity
UNION SELECT s.retl_identity FROM upserts AS s JOIN known AS k ON k.retl_phone_e164 = s.retl_phone_e164 AND k.retl_identity <> s.retl_identity
  JOIN temp.staged_vip_0a1b2c3d AS d ON d.retl_email = k.retl_email AND d.retl_identity <> s.retl_identity
);

-- mark_claimed 2
duckdb:    CREATE OR REPLACE TABLE temp.marks_1_vip_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.marks_1_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
WITH upserts AS (
  SELECT s.retl_identity, s.retl_phone_e164 AS retl_phone_e164 FROM temp.staged_vip_0a1b2c3d AS s
  JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
  JOIN temp.planned_vip_0a1b2c3d AS p ON s.retl_identity = p.retl_identity AND l.retl_list_id = p.retl_list_id
  WHERE p.retl_op IN ('add', 'update') AND s.retl_problem IS NULL
  AND s.retl_identity <> 'phone_e164:' || s.retl_phone_e164
),
known AS (
SELECT CASE WHEN ROW_NUMBER() OVER (PARTITION BY retl_list_id, CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ORDER BY retl_identity) = 1 THEN CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ELSE retl_identity END AS retl_identity, retl_email, retl_phone_e164 FROM state.snapshot_vip_0a1b2c3d
  WHERE retl_phone_e164 IS NOT NULL AND retl_list_id IN (SELECT retl_list_id FROM temp.lists_vip_0a1b2c3d)
UNION ALL SELECT CASE WHEN ROW_NUMBER() OVER (PARTITION BY retl_list_id, CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ORDER BY retl_identity) = 1 THEN CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ELSE retl_identity END AS retl_identity, retl_email, retl_phone_e164 FROM state.deltas_vip_0a1b2c3d
  WHERE retl_phone_e164 IS NOT NULL AND retl_list_id IN (SELECT retl_list_id FROM temp.lists_vip_0a1b2c3d)
)
SELECT retl_list, retl_identity, CAST(NULL AS VARCHAR) AS retl_problem, CAST(NULL AS VARCHAR) AS retl_detail, CAST('phone_e164' AS VARCHAR) AS retl_omitted
FROM temp.staged_vip_0a1b2c3d WHERE retl_problem IS NULL AND retl_identity IN (
SELECT s.retl_identity FROM upserts AS s JOIN known AS k ON k.retl_phone_e164 = s.retl_phone_e164 AND k.retl_identity <> s.retl_identity
  JOIN temp.staged_vip_0a1b2c3d AS d ON d.retl_identity = k.retl_identity AND d.retl_identity <> s.retl_identity
UNION SELECT s.retl_identity FROM upserts AS s JOIN known AS k ON k.retl_phone_e164 = s.retl_phone_e164 AND k.retl_identity <> s.retl_identity
  JOIN temp.staged_vip_0a1b2c3d AS d ON d.retl_email = k.retl_email AND d.retl_identity <> s.retl_identity
);
