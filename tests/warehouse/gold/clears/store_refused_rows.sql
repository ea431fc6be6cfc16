-- store_refused_rows 1
DELETE FROM state.rejected_tiers_2b3c4d5e AS retl_r WHERE EXISTS (
  SELECT 1 FROM temp.applied_tiers_2b3c4d5e AS t WHERE t.retl_list_id = retl_r.retl_list_id AND t.retl_identity = retl_r.retl_identity);
DELETE FROM state.rejected_tiers_2b3c4d5e AS retl_r WHERE EXISTS (
  SELECT 1 FROM state.deltas_tiers_2b3c4d5e AS d
  WHERE d.retl_run_id = ? AND d.retl_seq IN (SELECT ABS(f.seq) FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected')
  AND d.retl_list_id = retl_r.retl_list_id AND d.retl_identity = retl_r.retl_identity);
-- with ('r1', 'r1', 'vip')
INSERT INTO state.rejected_tiers_2b3c4d5e (retl_checksum, retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, retl_cleared, "first_name", "spent", "Since", "tags")
SELECT ?, retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, retl_cleared, "first_name", "spent", "Since", "tags" FROM state.deltas_tiers_2b3c4d5e
WHERE retl_run_id = ? AND retl_seq IN (SELECT ABS(f.seq) FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected');
-- with ('c0ffee', 'r1', 'r1', 'vip')
DELETE FROM state.deltas_tiers_2b3c4d5e WHERE retl_run_id = ? AND NOT retl_uncertain
AND retl_seq IN (SELECT ABS(f.seq) FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind NOT IN ('unknown', 'held') AND f.seq > 0);
-- with ('r1', 'r1', 'vip')
