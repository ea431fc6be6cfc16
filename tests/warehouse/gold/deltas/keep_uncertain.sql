-- keep_uncertain 1
UPDATE state.deltas_vip_0a1b2c3d SET retl_run_id = '', retl_seq = 0, retl_op = 'update', retl_uncertain = TRUE
WHERE retl_op = 'remove' AND retl_uncertain AND retl_in_snapshot
AND retl_run_id = ? AND retl_seq NOT IN (
  SELECT d.retl_seq FROM state.deltas_vip_0a1b2c3d AS d
  JOIN state.receipts AS r ON d.retl_seq BETWEEN r.first_seq AND r.last_seq
  WHERE d.retl_run_id = ? AND r.run_id = ? AND r.model = ?
  AND r.state IN ('accepted', 'unknown') AND d.retl_seq NOT IN (SELECT f.seq FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'held'))
AND retl_seq NOT IN (SELECT f.seq FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'unknown');
-- with ('r1', 'r1', 'r1', 'vip', 'r1', 'vip', 'r1', 'vip')
