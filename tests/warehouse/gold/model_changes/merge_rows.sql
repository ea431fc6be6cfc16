-- merge_rows 1
INSERT INTO state.snapshot_vip_0a1b2c3d (retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at)
SELECT o.retl_list_id, o.retl_identity, o.retl_email, o.retl_phone_e164, o.retl_external_id, o.retl_klaviyo_profile_id, o.retl_first_sent_at FROM state.snapshot_friends_7d8e9f0a AS o
WHERE NOT EXISTS (
  SELECT 1 FROM (SELECT retl_list_id, retl_identity FROM state.snapshot_vip_0a1b2c3d) AS s WHERE s.retl_list_id = o.retl_list_id AND s.retl_identity = o.retl_identity)
AND NOT EXISTS (
  SELECT 1 FROM (SELECT retl_list_id, retl_identity FROM state.deltas_vip_0a1b2c3d) AS d WHERE d.retl_list_id = o.retl_list_id AND d.retl_identity = o.retl_identity);
INSERT INTO state.deltas_vip_0a1b2c3d (retl_run_id, retl_seq, retl_op, retl_in_snapshot, retl_uncertain,
  retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at)
SELECT '', 0, o.retl_op, o.retl_in_snapshot, TRUE, o.retl_list_id, o.retl_identity, o.retl_email, o.retl_phone_e164, o.retl_external_id, o.retl_klaviyo_profile_id, o.retl_first_sent_at
FROM state.deltas_friends_7d8e9f0a AS o
WHERE NOT EXISTS (
  SELECT 1 FROM (SELECT retl_list_id, retl_identity FROM state.deltas_vip_0a1b2c3d) AS d WHERE d.retl_list_id = o.retl_list_id AND d.retl_identity = o.retl_identity);
