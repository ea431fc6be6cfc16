-- select_staged_rows 1
SELECT 'email' AS retl_kind, s.retl_email AS retl_value, s.retl_identity, l.retl_list_id,
  (s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL OR (d.retl_seq IS NOT NULL AND r.first_seq IS NULL)) AS retl_rejected
FROM temp.staged_vip_0a1b2c3d AS s
LEFT JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
LEFT JOIN (
  SELECT DISTINCT d.retl_identity FROM state.deltas_vip_0a1b2c3d AS d
  WHERE d.retl_run_id = ? AND d.retl_seq IN (SELECT f.seq FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected')
) AS x ON s.retl_identity = x.retl_identity
LEFT JOIN state.deltas_vip_0a1b2c3d AS d ON d.retl_run_id = ? AND d.retl_list_id = ?
  AND d.retl_op <> 'remove' AND d.retl_identity = s.retl_identity AND d.retl_list_id = l.retl_list_id
LEFT JOIN state.receipts AS r ON r.run_id = d.retl_run_id AND r.model = ? AND r.state = 'applied'
  AND d.retl_seq BETWEEN r.first_seq AND r.last_seq
WHERE s.retl_email IN (?, ?)
AND ((s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL OR (d.retl_seq IS NOT NULL AND r.first_seq IS NULL)) OR s.retl_email IS NOT NULL)
UNION ALL SELECT 'external_id' AS retl_kind, s.retl_external_id AS retl_value, s.retl_identity, l.retl_list_id,
  (s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL OR (d.retl_seq IS NOT NULL AND r.first_seq IS NULL)) AS retl_rejected
FROM temp.staged_vip_0a1b2c3d AS s
LEFT JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
LEFT JOIN (
  SELECT DISTINCT d.retl_identity FROM state.deltas_vip_0a1b2c3d AS d
  WHERE d.retl_run_id = ? AND d.retl_seq IN (SELECT f.seq FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected')
) AS x ON s.retl_identity = x.retl_identity
LEFT JOIN state.deltas_vip_0a1b2c3d AS d ON d.retl_run_id = ? AND d.retl_list_id = ?
  AND d.retl_op <> 'remove' AND d.retl_identity = s.retl_identity AND d.retl_list_id = l.retl_list_id
LEFT JOIN state.receipts AS r ON r.run_id = d.retl_run_id AND r.model = ? AND r.state = 'applied'
  AND d.retl_seq BETWEEN r.first_seq AND r.last_seq
WHERE s.retl_external_id IN (?)
AND ((s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL OR (d.retl_seq IS NOT NULL AND r.first_seq IS NULL)) OR s.retl_external_id IS NOT NULL);
-- with ('r1', 'r1', 'vip', 'r1', 'L1', 'vip', 'a@example.com', 'b@example.com', 'r1', 'r1', 'vip', 'r1', 'L1', 'vip', '17')
