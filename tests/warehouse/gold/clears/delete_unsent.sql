-- delete_unsent 1
DELETE FROM state.deltas_tiers_2b3c4d5e WHERE NOT retl_uncertain AND retl_run_id = ? AND retl_seq NOT IN (
  SELECT d.retl_seq FROM state.deltas_tiers_2b3c4d5e AS d
  JOIN state.receipts AS r ON d.retl_seq BETWEEN r.first_seq AND r.last_seq
  WHERE d.retl_run_id = ? AND r.run_id = ? AND r.model = ?
  AND (r.state IN ('accepted', 'unknown') OR (r.state = 'applied' AND d.retl_cleared IS NOT NULL)) AND d.retl_seq NOT IN (SELECT ABS(f.seq) FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'held'))
AND retl_seq NOT IN (SELECT ABS(f.seq) FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'unknown');
-- with ('r1', 'r1', 'r1', 'vip', 'r1', 'vip', 'r1', 'vip')
