-- select_clears 1
SELECT retl_seq, retl_cleared, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id FROM state.deltas_tiers_2b3c4d5e WHERE retl_run_id = ? AND retl_list_id = ?
AND retl_cleared IS NOT NULL AND retl_seq IN (
  SELECT d.retl_seq FROM state.deltas_tiers_2b3c4d5e AS d JOIN state.receipts AS r
  ON d.retl_seq BETWEEN r.first_seq AND r.last_seq
  WHERE d.retl_run_id = ? AND d.retl_cleared IS NOT NULL
  AND r.run_id = ? AND r.model = ? AND r.state = 'applied')
AND retl_seq NOT IN (SELECT ABS(f.seq) FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ?)
AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq;
-- with ('r1', 'L1', 'r1', 'r1', 'vip', 'r1', 'vip', 1, 9)
