-- omissions 1
DELETE FROM state.omissions AS retl_x WHERE account_id = ? AND project = ? AND model = ?
AND identifier = ? AND EXISTS (SELECT 1 FROM state.deltas_vip_0a1b2c3d AS d WHERE d.retl_run_id = ? AND d.retl_seq IN (?, ?) AND d.retl_phone_e164 IS NOT NULL AND d.retl_list_id = retl_x.list_id AND d.retl_identity = retl_x.row_key);
-- with ('acc', 'shop', 'vip', 'phone_e164', 'r1', 3, 5)
INSERT INTO state.omissions
SELECT ?, ?, ?, d.retl_list_id, d.retl_identity, ?, ?, MD5(d.retl_phone_e164), ? FROM state.deltas_vip_0a1b2c3d AS d WHERE d.retl_run_id = ? AND d.retl_seq IN (?, ?) AND d.retl_phone_e164 IS NOT NULL;
-- with ('acc', 'shop', 'vip', 'phone_e164', 'duplicate_profile', 'r1', 'r1', 3, 5)
UPDATE state.deltas_vip_0a1b2c3d SET retl_phone_e164 = NULL WHERE retl_run_id = ? AND retl_seq IN (?, ?);
-- with ('r1', 3, 5)
SELECT model, list_id, identifier, code, COUNT(*), MIN(row_key)
FROM state.omissions
WHERE account_id = ? AND project = ?
GROUP BY model, list_id, identifier, code ORDER BY model, list_id, identifier, code;
-- with ('acc', 'shop')
duckdb:    CREATE OR REPLACE TABLE temp.marks_1_vip_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.marks_1_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT s.retl_list, s.retl_identity, CAST(NULL AS VARCHAR) AS retl_problem, CAST(NULL AS VARCHAR) AS retl_detail, CAST(r.identifier AS VARCHAR) AS retl_omitted
FROM temp.staged_vip_0a1b2c3d AS s JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
JOIN state.omissions AS r ON r.list_id = l.retl_list_id AND r.row_key = s.retl_identity
WHERE s.retl_problem IS NULL AND r.digest = MD5(CASE r.identifier WHEN 'phone_e164' THEN s.retl_phone_e164 END)
AND r.account_id = ? AND r.project = ? AND r.model = ?;
-- with ('acc', 'shop', 'vip')
SELECT model, list_id, identifier, code, COUNT(*), MIN(row_key)
FROM state.omissions
WHERE account_id = ? AND project = ?
GROUP BY model, list_id, identifier, code ORDER BY model, list_id, identifier, code;
-- with ('acc', 'shop')
DELETE FROM state.omissions AS retl_x
WHERE account_id = ? AND project = ? AND model = ? AND identifier = 'email' AND TRUE;
-- with ('acc', 'shop', 'vip')
DELETE FROM state.omissions AS retl_x
WHERE account_id = ? AND project = ? AND model = ? AND identifier = 'phone_e164' AND NOT EXISTS (SELECT 1 FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail), s.retl_problem IS NULL AND COALESCE(m.retl_omits_phone_e164, FALSE) AS retl_omits_phone_e164, COALESCE(s.retl_problem, m.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(m.retl_detail, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_vip_0a1b2c3d AS s
  LEFT JOIN (
    SELECT retl_identity, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail, COUNT(CASE WHEN retl_omitted = 'phone_e164' THEN 1 END) > 0 AS retl_omits_phone_e164
    FROM (SELECT * FROM temp.marks_1_vip_0a1b2c3d) AS marked GROUP BY retl_identity
  ) AS m ON s.retl_identity = m.retl_identity
) AS s JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
  WHERE l.retl_list_id = retl_x.list_id AND s.retl_identity = retl_x.row_key AND MD5(s.retl_phone_e164) = retl_x.digest);
-- with ('acc', 'shop', 'vip')
DELETE FROM state.omissions AS retl_x
WHERE account_id = ? AND project = ? AND model = ? AND identifier = 'external_id' AND TRUE;
-- with ('acc', 'shop', 'vip')
DELETE FROM state.omissions AS retl_x
WHERE account_id = ? AND project = ? AND model = ? AND identifier = 'klaviyo_profile_id' AND TRUE;
-- with ('acc', 'shop', 'vip')
SELECT model, list_id, identifier, code, COUNT(*), MIN(row_key)
FROM state.omissions
WHERE account_id = ? AND project = ?
GROUP BY model, list_id, identifier, code ORDER BY model, list_id, identifier, code;
-- with ('acc', 'shop')
DELETE FROM state.omissions AS retl_x
WHERE account_id = ? AND project = ? AND model = ? AND TRUE;
-- with ('acc', 'shop', 'vip')
