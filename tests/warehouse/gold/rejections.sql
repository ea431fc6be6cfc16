-- rejections 1
SELECT model, list_id, source, code, field, MODE(detail), SUM(row_count), MIN(CASE WHEN row_key NOT LIKE 'row:%' THEN row_key END), SUM(CASE WHEN first_run_id = ? THEN row_count ELSE 0 END)
FROM "SHOP"."REVERSE_ETL"."REJECTIONS" WHERE account_id = ? AND project = ?
GROUP BY model, list_id, source, code, field ORDER BY model, list_id, source, code, field;
-- with ('r1', 'acc', 'shop')

-- rejections 2
SELECT s.retl_list, s.retl_problem, COUNT(*), SUM(CASE WHEN s.retl_problem <> 'standing' AND r.row_key IS NULL THEN 1 ELSE 0 END)
FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s
LEFT JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l ON s.retl_list = l.retl_list
LEFT JOIN (SELECT DISTINCT list_id, row_key, code FROM "SHOP"."REVERSE_ETL"."REJECTIONS" WHERE account_id = ? AND project = ? AND model = ? AND source = 'check' AND first_run_id IN (SELECT run_id FROM "SHOP"."REVERSE_ETL"."RUNS" WHERE exit_code IS NOT NULL)) AS r
ON r.list_id = COALESCE(l.retl_list_id, '') AND r.row_key = COALESCE(s.retl_identity, 'row:' || MD5(CONCAT_WS('|', COALESCE(CAST(s.retl_email AS VARCHAR), ''), COALESCE(CAST(s.retl_phone_e164 AS VARCHAR), ''), COALESCE(CAST(s.retl_external_id AS VARCHAR), ''), COALESCE(CAST(s.retl_klaviyo_profile_id AS VARCHAR), ''), COALESCE(CAST(s."FIRST_NAME" AS VARCHAR), ''), COALESCE(CAST(s."SPENT" AS VARCHAR), ''), COALESCE(CAST(s."Since" AS VARCHAR), ''), COALESCE(CAST(s."TAGS" AS VARCHAR), '')))) AND r.code = s.retl_problem
WHERE s.retl_problem IS NOT NULL GROUP BY s.retl_list, s.retl_problem ORDER BY s.retl_list, s.retl_problem;
-- with ('acc', 'shop', 'vip')

-- rejections 3
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_CHECKS_VIP_0A1B2C3D" AS
SELECT COALESCE(l.retl_list_id, '') AS list_id, COALESCE(s.retl_identity, 'row:' || MD5(CONCAT_WS('|', COALESCE(CAST(s.retl_email AS VARCHAR), ''), COALESCE(CAST(s.retl_phone_e164 AS VARCHAR), ''), COALESCE(CAST(s.retl_external_id AS VARCHAR), ''), COALESCE(CAST(s.retl_klaviyo_profile_id AS VARCHAR), ''), COALESCE(CAST(s."FIRST_NAME" AS VARCHAR), ''), COALESCE(CAST(s."SPENT" AS VARCHAR), ''), COALESCE(CAST(s."Since" AS VARCHAR), ''), COALESCE(CAST(s."TAGS" AS VARCHAR), '')))) AS row_key, s.retl_problem AS code, MAX(COALESCE(s.retl_detail, '')) AS detail, MIN(COALESCE(r.first_run_id, ?)) AS first_run_id, COUNT(*) AS row_count
FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s
LEFT JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l ON s.retl_list = l.retl_list
LEFT JOIN (SELECT list_id, row_key, code, first_run_id FROM "SHOP"."REVERSE_ETL"."REJECTIONS" WHERE account_id = ? AND project = ? AND model = ? AND source = 'check' AND first_run_id IN (SELECT run_id FROM "SHOP"."REVERSE_ETL"."RUNS" WHERE exit_code IS NOT NULL)) AS r
ON r.list_id = COALESCE(l.retl_list_id, '') AND r.row_key = COALESCE(s.retl_identity, 'row:' || MD5(CONCAT_WS('|', COALESCE(CAST(s.retl_email AS VARCHAR), ''), COALESCE(CAST(s.retl_phone_e164 AS VARCHAR), ''), COALESCE(CAST(s.retl_external_id AS VARCHAR), ''), COALESCE(CAST(s.retl_klaviyo_profile_id AS VARCHAR), ''), COALESCE(CAST(s."FIRST_NAME" AS VARCHAR), ''), COALESCE(CAST(s."SPENT" AS VARCHAR), ''), COALESCE(CAST(s."Since" AS VARCHAR), ''), COALESCE(CAST(s."TAGS" AS VARCHAR), '')))) AND r.code = s.retl_problem
WHERE s.retl_problem IS NOT NULL AND s.retl_problem <> 'standing'
GROUP BY 1, 2, 3;
-- with ('r1', 'acc', 'shop', 'vip')

-- rejections 4
DELETE FROM "SHOP"."REVERSE_ETL"."REJECTIONS" WHERE account_id = ? AND project = ? AND model = ? AND source = 'check';
-- with ('acc', 'shop', 'vip')

-- rejections 5
INSERT INTO "SHOP"."REVERSE_ETL"."REJECTIONS" SELECT ?, ?, ?, list_id, row_key, 'check', code, '', detail, first_run_id, row_count FROM "SHOP"."REVERSE_ETL"."TEMP_CHECKS_VIP_0A1B2C3D";
-- with ('acc', 'shop', 'vip')

-- rejections 6
DELETE FROM "SHOP"."REVERSE_ETL"."REJECTED_VIP_0A1B2C3D" AS retl_r WHERE NOT EXISTS (
  SELECT 1 FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem = 'standing' AND s.retl_identity = retl_r.retl_identity AND l.retl_list_id = retl_r.retl_list_id);

-- rejections 7
DELETE FROM "SHOP"."REVERSE_ETL"."REJECTIONS" AS retl_x WHERE account_id = ? AND project = ? AND model = ? AND source = 'klaviyo' AND NOT EXISTS (SELECT 1 FROM "SHOP"."REVERSE_ETL"."REJECTED_VIP_0A1B2C3D" AS r WHERE r.retl_list_id = retl_x.list_id AND r.retl_identity = retl_x.row_key);
-- with ('acc', 'shop', 'vip')

-- rejections 8
DELETE FROM "SHOP"."REVERSE_ETL"."REJECTIONS" AS retl_r WHERE account_id = ? AND project = ? AND model = ? AND source = 'klaviyo' AND EXISTS (SELECT 1 FROM "SHOP"."REVERSE_ETL"."TEMP_TAKEN_VIP_0A1B2C3D" AS t WHERE t.retl_list_id = retl_r.list_id AND t.retl_identity = retl_r.row_key);
-- with ('acc', 'shop', 'vip')

-- rejections 9
DELETE FROM "SHOP"."REVERSE_ETL"."REJECTIONS" AS retl_r WHERE account_id = ? AND project = ? AND model = ? AND source = 'klaviyo' AND EXISTS (SELECT 1 FROM "SHOP"."REVERSE_ETL"."ROW_EXCEPTIONS" AS f JOIN "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS d ON d.retl_seq = f.seq AND d.retl_run_id = f.run_id WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected' AND d.retl_list_id = retl_r.list_id AND d.retl_identity = retl_r.row_key);
-- with ('acc', 'shop', 'vip', 'r1', 'vip')

-- rejections 10
INSERT INTO "SHOP"."REVERSE_ETL"."REJECTIONS" SELECT ?, ?, ?, d.retl_list_id, d.retl_identity, 'klaviyo', f.code, f.field, f.detail, ?, 1 FROM "SHOP"."REVERSE_ETL"."ROW_EXCEPTIONS" AS f JOIN "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS d ON d.retl_seq = f.seq AND d.retl_run_id = f.run_id WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected';
-- with ('acc', 'shop', 'vip', 'r1', 'r1', 'vip')

-- rejections 11
DELETE FROM "SHOP"."REVERSE_ETL"."REJECTED_VIP_0A1B2C3D";

-- rejections 12
DELETE FROM "SHOP"."REVERSE_ETL"."REJECTIONS" WHERE account_id = ? AND project = ? AND model = ? AND source = 'klaviyo';
-- with ('acc', 'shop', 'vip')
