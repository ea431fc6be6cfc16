-- rejections 1
SELECT model, list_id, source, code, field, MODE(detail), SUM(row_count), MIN(CASE WHEN row_key NOT LIKE 'row:%' THEN row_key END), SUM(CASE WHEN first_run_id = ? THEN row_count ELSE 0 END)
FROM "reverse_etl_state".main."rejections" WHERE account_id = ? AND project = ?
GROUP BY model, list_id, source, code, field ORDER BY model, list_id, source, code, field;
-- with ('r1', 'acc', 'shop')

-- rejections 2
SELECT s.retl_list, s.retl_problem, COUNT(*), SUM(CASE WHEN s.retl_problem <> 'standing' AND r.row_key IS NULL THEN 1 ELSE 0 END)
FROM memory.main."staged_vip_0a1b2c3d" AS s
LEFT JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
LEFT JOIN (SELECT DISTINCT list_id, row_key, code FROM "reverse_etl_state".main."rejections" WHERE account_id = ? AND project = ? AND model = ? AND source = 'check' AND first_run_id IN (SELECT run_id FROM "reverse_etl_state".main."runs" WHERE exit_code IS NOT NULL)) AS r
ON r.list_id = COALESCE(l.retl_list_id, '') AND r.row_key = COALESCE(s.retl_identity, 'row:' || MD5(CONCAT_WS('|', CAST(s.retl_email AS VARCHAR), CAST(s.retl_phone_e164 AS VARCHAR), CAST(s.retl_external_id AS VARCHAR), CAST(s.retl_klaviyo_profile_id AS VARCHAR), CAST(s."first_name" AS VARCHAR), CAST(s."spent" AS VARCHAR), CAST(s."Since" AS VARCHAR), CAST(s."tags" AS VARCHAR)))) AND r.code = s.retl_problem
WHERE s.retl_problem IS NOT NULL GROUP BY s.retl_list, s.retl_problem ORDER BY s.retl_list, s.retl_problem;
-- with ('acc', 'shop', 'vip')

-- rejections 3
CREATE OR REPLACE TABLE memory.main."checks_vip_0a1b2c3d" AS
SELECT COALESCE(l.retl_list_id, '') AS list_id, COALESCE(s.retl_identity, 'row:' || MD5(CONCAT_WS('|', CAST(s.retl_email AS VARCHAR), CAST(s.retl_phone_e164 AS VARCHAR), CAST(s.retl_external_id AS VARCHAR), CAST(s.retl_klaviyo_profile_id AS VARCHAR), CAST(s."first_name" AS VARCHAR), CAST(s."spent" AS VARCHAR), CAST(s."Since" AS VARCHAR), CAST(s."tags" AS VARCHAR)))) AS row_key, s.retl_problem AS code, MAX(COALESCE(s.retl_detail, '')) AS detail, MIN(COALESCE(r.first_run_id, ?)) AS first_run_id, COUNT(*) AS row_count
FROM memory.main."staged_vip_0a1b2c3d" AS s
LEFT JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
LEFT JOIN (SELECT list_id, row_key, code, first_run_id FROM "reverse_etl_state".main."rejections" WHERE account_id = ? AND project = ? AND model = ? AND source = 'check' AND first_run_id IN (SELECT run_id FROM "reverse_etl_state".main."runs" WHERE exit_code IS NOT NULL)) AS r
ON r.list_id = COALESCE(l.retl_list_id, '') AND r.row_key = COALESCE(s.retl_identity, 'row:' || MD5(CONCAT_WS('|', CAST(s.retl_email AS VARCHAR), CAST(s.retl_phone_e164 AS VARCHAR), CAST(s.retl_external_id AS VARCHAR), CAST(s.retl_klaviyo_profile_id AS VARCHAR), CAST(s."first_name" AS VARCHAR), CAST(s."spent" AS VARCHAR), CAST(s."Since" AS VARCHAR), CAST(s."tags" AS VARCHAR)))) AND r.code = s.retl_problem
WHERE s.retl_problem IS NOT NULL AND s.retl_problem <> 'standing'
GROUP BY 1, 2, 3;
-- with ('r1', 'acc', 'shop', 'vip')

-- rejections 4
DELETE FROM "reverse_etl_state".main."rejections" WHERE account_id = ? AND project = ? AND model = ? AND source = 'check';
-- with ('acc', 'shop', 'vip')

-- rejections 5
INSERT INTO "reverse_etl_state".main."rejections" SELECT ?, ?, ?, list_id, row_key, 'check', code, '', detail, first_run_id, row_count FROM memory.main."checks_vip_0a1b2c3d";
-- with ('acc', 'shop', 'vip')

-- rejections 6
DELETE FROM "reverse_etl_state".main."rejected_vip_0a1b2c3d" AS retl_r WHERE NOT EXISTS (
  SELECT 1 FROM memory.main."staged_vip_0a1b2c3d" AS s JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem = 'standing' AND s.retl_identity = retl_r.retl_identity AND l.retl_list_id = retl_r.retl_list_id);

-- rejections 7
DELETE FROM "reverse_etl_state".main."rejections" AS retl_x WHERE account_id = ? AND project = ? AND model = ? AND source = 'klaviyo' AND NOT EXISTS (SELECT 1 FROM "reverse_etl_state".main."rejected_vip_0a1b2c3d" AS r WHERE r.retl_list_id = retl_x.list_id AND r.retl_identity = retl_x.row_key);
-- with ('acc', 'shop', 'vip')

-- rejections 8
DELETE FROM "reverse_etl_state".main."rejections" AS retl_r WHERE account_id = ? AND project = ? AND model = ? AND source = 'klaviyo' AND EXISTS (SELECT 1 FROM memory.main."taken_vip_0a1b2c3d" AS t WHERE t.retl_list_id = retl_r.list_id AND t.retl_identity = retl_r.row_key);
-- with ('acc', 'shop', 'vip')

-- rejections 9
DELETE FROM "reverse_etl_state".main."rejections" AS retl_r WHERE account_id = ? AND project = ? AND model = ? AND source = 'klaviyo' AND EXISTS (SELECT 1 FROM "reverse_etl_state".main."row_exceptions" AS f JOIN "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d ON d.retl_seq = f.seq AND d.retl_run_id = f.run_id WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected' AND d.retl_list_id = retl_r.list_id AND d.retl_identity = retl_r.row_key);
-- with ('acc', 'shop', 'vip', 'r1', 'vip')

-- rejections 10
INSERT INTO "reverse_etl_state".main."rejections" SELECT ?, ?, ?, d.retl_list_id, d.retl_identity, 'klaviyo', f.code, f.field, f.detail, ?, 1 FROM "reverse_etl_state".main."row_exceptions" AS f JOIN "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d ON d.retl_seq = f.seq AND d.retl_run_id = f.run_id WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected';
-- with ('acc', 'shop', 'vip', 'r1', 'r1', 'vip')

-- rejections 11
DELETE FROM "reverse_etl_state".main."rejected_vip_0a1b2c3d";

-- rejections 12
DELETE FROM "reverse_etl_state".main."rejections" WHERE account_id = ? AND project = ? AND model = ? AND source = 'klaviyo';
-- with ('acc', 'shop', 'vip')
