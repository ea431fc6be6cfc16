-- mark_people_uncertain 1
UPDATE state.deltas_vip_0a1b2c3d SET retl_uncertain = TRUE WHERE retl_list_id = ? AND retl_op <> 'remove' AND retl_email IN (?, ?);
-- with ('L1', 'a@example.com', 'b@example.com')
INSERT INTO state.deltas_vip_0a1b2c3d (retl_run_id, retl_seq, retl_op, retl_in_snapshot, retl_uncertain, retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags")
SELECT '', 0, 'update', TRUE, TRUE, s.retl_list_id, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."first_name", s."spent", s."Since", s."tags" FROM state.snapshot_vip_0a1b2c3d AS s
WHERE s.retl_list_id IN (?) AND s.retl_email IN (?, ?) AND NOT EXISTS (
  SELECT 1 FROM (SELECT retl_list_id, retl_identity FROM state.deltas_vip_0a1b2c3d) AS d WHERE d.retl_list_id = s.retl_list_id AND d.retl_identity = s.retl_identity);
-- with ('L1', 'a@example.com', 'b@example.com')
