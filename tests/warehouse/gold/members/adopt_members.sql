-- adopt_members 1
UPDATE state.snapshot_vip_0a1b2c3d AS t SET retl_first_sent_at = LEAST(t.retl_first_sent_at, h.retl_since)
FROM (
  SELECT retl_identity, MIN(retl_joined_at) AS retl_since FROM temp.met_vip_0a1b2c3d
  WHERE retl_sure GROUP BY retl_identity
) AS h WHERE t.retl_list_id = ? AND t.retl_identity = h.retl_identity;
-- with ('L1',)
UPDATE state.deltas_vip_0a1b2c3d AS t SET retl_first_sent_at = LEAST(t.retl_first_sent_at, h.retl_since)
FROM (
  SELECT retl_identity, MIN(retl_joined_at) AS retl_since FROM temp.met_vip_0a1b2c3d
  WHERE retl_sure GROUP BY retl_identity
) AS h WHERE t.retl_list_id = ? AND t.retl_identity = h.retl_identity;
-- with ('L1',)
INSERT INTO state.snapshot_vip_0a1b2c3d (retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at)
SELECT ?, o.retl_identity, o.retl_email, o.retl_phone_e164, o.retl_external_id, o.retl_klaviyo_profile_id, o.retl_joined_at FROM temp.others_vip_0a1b2c3d AS o
WHERE NOT EXISTS (
  SELECT 1 FROM (SELECT retl_list_id, retl_identity FROM state.snapshot_vip_0a1b2c3d) AS s WHERE s.retl_list_id = ? AND s.retl_identity = o.retl_identity);
-- with ('L1', 'L1')
