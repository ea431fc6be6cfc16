-- collect_check_rejections 1
duckdb:    CREATE OR REPLACE TABLE temp.checks_vip_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.checks_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT COALESCE(l.retl_list_id, '') AS list_id, COALESCE(s.retl_identity, s.retl_digest) AS row_key, s.retl_problem AS code,
  MAX(COALESCE(s.retl_detail, '')) AS detail, MIN(COALESCE(r.first_run_id, ?)) AS first_run_id, COUNT(*) AS row_count
FROM temp.staged_vip_0a1b2c3d AS s
LEFT JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
LEFT JOIN (
  SELECT DISTINCT list_id, row_key, code, detail, row_count, first_run_id FROM state.rejections
  WHERE account_id = ? AND project = ? AND model = ? AND source = 'check'
  AND first_run_id IN (SELECT run_id FROM state.runs WHERE exit_code IS NOT NULL)
) AS r ON r.list_id = COALESCE(l.retl_list_id, '') AND r.row_key = COALESCE(s.retl_identity, s.retl_digest) AND r.code = s.retl_problem
WHERE s.retl_problem IS NOT NULL AND s.retl_problem <> 'withheld' AND s.retl_problem <> 'still_rejected'
GROUP BY 1, 2, 3;
-- with ('r1', 'acc', 'shop', 'vip')
