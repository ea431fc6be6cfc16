-- count_unanswered 1
SELECT retl_list_id, COUNT(*) FROM state.deltas_vip_0a1b2c3d WHERE retl_run_id = ?
AND retl_seq NOT IN (
  SELECT d.retl_seq FROM state.deltas_vip_0a1b2c3d AS d JOIN state.receipts AS r
  ON d.retl_seq BETWEEN r.first_seq AND r.last_seq
  WHERE d.retl_run_id = ? AND r.run_id = ? AND r.model = ?)
GROUP BY retl_list_id ORDER BY retl_list_id;
-- with ('r1', 'r1', 'r1', 'vip')
