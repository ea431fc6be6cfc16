-- record_klaviyo_rejections 1
DELETE FROM state.rejections AS retl_r WHERE account_id = ? AND project = ? AND model = ? AND source = 'klaviyo' AND EXISTS (
  SELECT 1 FROM temp.applied_tiers_2b3c4d5e AS t WHERE t.retl_list_id = retl_r.list_id AND t.retl_identity = retl_r.row_key);
-- with ('acc', 'shop', 'vip')
DELETE FROM state.rejections AS retl_r WHERE account_id = ? AND project = ? AND model = ? AND source = 'klaviyo' AND EXISTS (
  SELECT 1 FROM state.row_exceptions AS f
JOIN state.deltas_tiers_2b3c4d5e AS d ON d.retl_seq = ABS(f.seq) AND d.retl_run_id = f.run_id
WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected' AND d.retl_list_id = retl_r.list_id AND d.retl_identity = retl_r.row_key);
-- with ('acc', 'shop', 'vip', 'r1', 'vip')
INSERT INTO state.rejections
SELECT ?, ?, ?, d.retl_list_id, d.retl_identity, 'klaviyo', f.code, f.field, f.detail, ?, 1
FROM state.row_exceptions AS f
JOIN state.deltas_tiers_2b3c4d5e AS d ON d.retl_seq = ABS(f.seq) AND d.retl_run_id = f.run_id
WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected';
-- with ('acc', 'shop', 'vip', 'r1', 'r1', 'vip')
