-- count_check_rejections 1
SELECT c.retl_list, c.retl_problem, c.retl_column, k.code, SUM(c.row_count),
  SUM(CASE WHEN c.retl_problem <> 'still_rejected' AND r.row_key IS NULL THEN c.row_count ELSE 0 END), MIN(c.retl_identity),
  SUM(CASE WHEN c.retl_problem <> 'still_rejected' AND (r.row_key IS NULL OR r.row_count <> c.row_count OR r.detail <> c.detail) THEN 1 ELSE 0 END)
FROM (
  SELECT s.retl_list, COALESCE(l.retl_list_id, '') AS list_id, COALESCE(s.retl_identity, s.retl_digest) AS row_key, s.retl_problem, CASE WHEN s.retl_problem IN ('infinite_time', 'null_value', 'missing_value', 'duplicate', 'changed') THEN s.retl_detail END AS retl_column,
    MAX(COALESCE(s.retl_detail, '')) AS detail, COUNT(*) AS row_count, MIN(s.retl_identity) AS retl_identity
  FROM temp.staged_vip_0a1b2c3d AS s
LEFT JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
WHERE s.retl_problem IS NOT NULL AND s.retl_problem <> 'withheld'
  GROUP BY 1, 2, 3, 4, 5
) AS c
LEFT JOIN (
  SELECT DISTINCT list_id, row_key, code, detail, row_count, first_run_id FROM state.rejections
  WHERE account_id = ? AND project = ? AND model = ? AND source = 'check'
  AND first_run_id IN (SELECT run_id FROM state.runs WHERE exit_code IS NOT NULL)
) AS r ON r.list_id = c.list_id AND r.row_key = c.row_key AND r.code = c.retl_problem
LEFT JOIN (
  SELECT list_id, row_key, MAX(code) AS code FROM state.rejections
  WHERE account_id = ? AND project = ? AND model = ? AND source = 'klaviyo' GROUP BY list_id, row_key
) AS k ON k.list_id = c.list_id AND k.row_key = c.retl_identity AND c.retl_problem = 'still_rejected'
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
-- with ('acc', 'shop', 'vip', 'acc', 'shop', 'vip')

-- count_check_rejections 2
SELECT c.retl_list, c.retl_problem, c.retl_column, k.code, SUM(c.row_count),
  SUM(CASE WHEN c.retl_problem <> 'still_rejected' AND r.row_key IS NULL THEN c.row_count ELSE 0 END), MIN(c.retl_identity),
  SUM(CASE WHEN c.retl_problem <> 'still_rejected' AND (r.row_key IS NULL OR r.row_count <> c.row_count OR r.detail <> c.detail) THEN 1 ELSE 0 END),
  MIN_BY(COALESCE(c.retl_email, ''), c.retl_identity),
  MIN_BY(COALESCE(c.retl_phone_e164, ''), c.retl_identity)
FROM (
  SELECT s.retl_list, COALESCE(l.retl_list_id, '') AS list_id, COALESCE(s.retl_identity, s.retl_digest) AS row_key, s.retl_problem, CASE WHEN s.retl_problem IN ('infinite_time', 'null_value', 'missing_value', 'duplicate', 'changed') THEN s.retl_detail END AS retl_column,
    MAX(COALESCE(s.retl_detail, '')) AS detail, COUNT(*) AS row_count, MIN(s.retl_identity) AS retl_identity, MIN(s.retl_email) AS retl_email, MIN(s.retl_phone_e164) AS retl_phone_e164
  FROM temp.staged_vip_0a1b2c3d AS s
LEFT JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
WHERE s.retl_problem IS NOT NULL AND s.retl_problem <> 'withheld'
  GROUP BY 1, 2, 3, 4, 5
) AS c
LEFT JOIN (
  SELECT DISTINCT list_id, row_key, code, detail, row_count, first_run_id FROM state.rejections
  WHERE account_id = ? AND project = ? AND model = ? AND source = 'check'
  AND first_run_id IN (SELECT run_id FROM state.runs WHERE exit_code IS NOT NULL)
) AS r ON r.list_id = c.list_id AND r.row_key = c.row_key AND r.code = c.retl_problem
LEFT JOIN (
  SELECT list_id, row_key, MAX(code) AS code FROM state.rejections
  WHERE account_id = ? AND project = ? AND model = ? AND source = 'klaviyo' GROUP BY list_id, row_key
) AS k ON k.list_id = c.list_id AND k.row_key = c.retl_identity AND c.retl_problem = 'still_rejected'
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
-- with ('acc', 'shop', 'vip', 'acc', 'shop', 'vip')
