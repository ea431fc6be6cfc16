-- count_check_rejections 1
SELECT s.retl_list, s.retl_problem, CASE WHEN s.retl_problem IN ('infinite_time', 'null_value', 'missing_value', 'duplicate', 'changed') THEN s.retl_detail END, k.code, COUNT(*),
  SUM(CASE WHEN s.retl_problem <> 'still_rejected' AND r.row_key IS NULL THEN 1 ELSE 0 END),
  MIN(s.retl_identity)
FROM temp.staged_vip_0a1b2c3d AS s
LEFT JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
LEFT JOIN (
  SELECT DISTINCT list_id, row_key, code, first_run_id FROM state.rejections
  WHERE account_id = ? AND project = ? AND model = ? AND source = 'check'
  AND first_run_id IN (SELECT run_id FROM state.runs WHERE exit_code IS NOT NULL)
duckdb:    ) AS r ON r.list_id = COALESCE(l.retl_list_id, '') AND r.row_key = COALESCE(s.retl_identity, 'row:' || MD5(CONCAT_WS('|', CAST(s.retl_email AS VARCHAR), CAST(s.retl_phone_e164 AS VARCHAR), CAST(s.retl_external_id AS VARCHAR), CAST(s.retl_klaviyo_profile_id AS VARCHAR), CAST(s."first_name" AS VARCHAR), CAST(s."spent" AS VARCHAR), CAST(s."Since" AS VARCHAR), CAST(s."tags" AS VARCHAR)))) AND r.code = s.retl_problem
snowflake: ) AS r ON r.list_id = COALESCE(l.retl_list_id, '') AND r.row_key = COALESCE(s.retl_identity, 'row:' || MD5(CONCAT_WS('|', COALESCE(CAST(s.retl_email AS VARCHAR), ''), COALESCE(CAST(s.retl_phone_e164 AS VARCHAR), ''), COALESCE(CAST(s.retl_external_id AS VARCHAR), ''), COALESCE(CAST(s.retl_klaviyo_profile_id AS VARCHAR), ''), COALESCE(CAST(s."first_name" AS VARCHAR), ''), COALESCE(CAST(s."spent" AS VARCHAR), ''), COALESCE(CAST(s."Since" AS VARCHAR), ''), COALESCE(CAST(s."tags" AS VARCHAR), '')))) AND r.code = s.retl_problem
LEFT JOIN (
  SELECT list_id, row_key, MAX(code) AS code FROM state.rejections
  WHERE account_id = ? AND project = ? AND model = ? AND source = 'klaviyo' GROUP BY list_id, row_key
) AS k ON k.list_id = COALESCE(l.retl_list_id, '') AND k.row_key = s.retl_identity AND s.retl_problem = 'still_rejected'
WHERE s.retl_problem IS NOT NULL AND s.retl_problem <> 'withheld'
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
-- with ('acc', 'shop', 'vip', 'acc', 'shop', 'vip')
