-- store_refused_rows 1
DELETE FROM state.rejected_vip_0a1b2c3d AS retl_r WHERE EXISTS (
  SELECT 1 FROM temp.applied_vip_0a1b2c3d AS t WHERE t.retl_list_id = retl_r.retl_list_id AND t.retl_identity = retl_r.retl_identity);
DELETE FROM state.rejected_vip_0a1b2c3d AS retl_r WHERE EXISTS (
  SELECT 1 FROM state.deltas_vip_0a1b2c3d AS d
  WHERE d.retl_run_id = ? AND d.retl_seq IN (SELECT f.seq FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected')
  AND d.retl_list_id = retl_r.retl_list_id AND d.retl_identity = retl_r.retl_identity);
-- with ('r1', 'r1', 'vip')
INSERT INTO state.rejected_vip_0a1b2c3d (retl_checksum, retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags")
SELECT ?, retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags" FROM state.deltas_vip_0a1b2c3d
WHERE retl_run_id = ? AND retl_seq IN (SELECT f.seq FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected');
-- with ('c0ffee', 'r1', 'r1', 'vip')
DELETE FROM state.deltas_vip_0a1b2c3d WHERE retl_run_id = ? AND NOT retl_uncertain
AND retl_seq IN (SELECT f.seq FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind NOT IN ('unknown', 'held'));
-- with ('r1', 'r1', 'vip')
