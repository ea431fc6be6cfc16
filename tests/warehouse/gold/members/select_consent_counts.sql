-- select_consent_counts 1
SELECT (SELECT COUNT(*) FROM state.snapshot_vip_0a1b2c3d WHERE retl_list_id = ?),
  (SELECT COUNT(*) FROM state.deltas_vip_0a1b2c3d WHERE retl_list_id = ?),
  (SELECT COUNT(DISTINCT retl_klaviyo_profile_id) FROM temp.members_vip_0a1b2c3d WHERE retl_joined_at IS NOT NULL),
  (SELECT COUNT(*) FROM temp.missing_vip_0a1b2c3d),
  (SELECT COUNT(*) FROM temp.others_vip_0a1b2c3d),
  (SELECT COUNT(*) FROM state.snapshot_vip_0a1b2c3d AS s WHERE s.retl_list_id = ? AND EXISTS (
    SELECT 1 FROM temp.met_vip_0a1b2c3d AS t
    WHERE t.retl_sure AND t.retl_identity = s.retl_identity AND t.retl_joined_late < s.retl_first_sent_at)),
  (SELECT COUNT(*) FROM state.snapshot_vip_0a1b2c3d AS s WHERE s.retl_list_id = ? AND EXISTS (
    SELECT 1 FROM temp.met_vip_0a1b2c3d AS t
    WHERE t.retl_sure AND t.retl_identity = s.retl_identity AND t.retl_joined_at IS NULL)),
  (SELECT COUNT(*) FROM state.snapshot_vip_0a1b2c3d AS s WHERE s.retl_list_id = ?
  AND NOT EXISTS (SELECT 1 FROM temp.met_vip_0a1b2c3d AS t WHERE t.retl_sure AND t.retl_identity = s.retl_identity)
  AND EXISTS (
  SELECT 1 FROM state.consents AS c WHERE c.account_id = 'acc'
  AND c.project = 'shop' AND c.model = 'vip'
  AND c.list_id = s.retl_list_id AND c.identity = s.retl_identity AND c.state NOT IN ('confirmed', 'off_list'))),
  (SELECT COUNT(*) FROM (
SELECT t.retl_identity FROM temp.met_vip_0a1b2c3d AS t
WHERE t.retl_sure AND t.retl_joined_at IS NOT NULL AND (t.retl_by_identity OR t.retl_klaviyo_profile_id NOT IN (
  SELECT i.retl_klaviyo_profile_id FROM temp.met_vip_0a1b2c3d AS i WHERE i.retl_by_identity)) GROUP BY t.retl_identity HAVING COUNT(DISTINCT t.retl_klaviyo_profile_id) > 1
  ) AS s);
-- with ('L1', 'L1', 'L1', 'L1', 'L1')
