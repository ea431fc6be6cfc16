-- record_without_profile 1
DELETE FROM state.without_profile_known_6f7a8b9c AS retl_r WHERE EXISTS (
  SELECT 1 FROM temp.applied_known_6f7a8b9c AS t WHERE t.retl_list_id = retl_r.retl_list_id AND t.retl_identity = retl_r.retl_identity);
DELETE FROM state.without_profile_known_6f7a8b9c AS m WHERE EXISTS (
  SELECT 1 FROM state.deltas_known_6f7a8b9c AS d WHERE d.retl_run_id = ?
AND d.retl_seq IN (SELECT f.seq FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'no_profile') AND d.retl_list_id = m.retl_list_id AND d.retl_identity = m.retl_identity);
-- with ('r1', 'r1', 'vip')
INSERT INTO state.without_profile_known_6f7a8b9c (retl_looked_up_at, retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags")
SELECT ?, d.retl_list_id, d.retl_identity, d.retl_email, d.retl_phone_e164, d.retl_external_id, d.retl_klaviyo_profile_id, d.retl_first_sent_at, d."first_name", d."spent", d."Since", d."tags" FROM state.deltas_known_6f7a8b9c AS d WHERE d.retl_run_id = ?
AND d.retl_seq IN (SELECT f.seq FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'no_profile');
-- with ('2026-01-01T00:00:00.000Z', 'r1', 'r1', 'vip')
DELETE FROM state.snapshot_known_6f7a8b9c AS m WHERE EXISTS (
  SELECT 1 FROM state.deltas_known_6f7a8b9c AS d WHERE d.retl_run_id = ?
AND d.retl_seq IN (SELECT f.seq FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'no_profile') AND d.retl_list_id = m.retl_list_id AND d.retl_identity = m.retl_identity);
-- with ('r1', 'r1', 'vip')
DELETE FROM state.deltas_known_6f7a8b9c WHERE retl_run_id = ?
AND retl_seq IN (SELECT f.seq FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'no_profile');
-- with ('r1', 'r1', 'vip')
