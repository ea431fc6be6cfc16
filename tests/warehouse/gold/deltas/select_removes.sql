-- select_removes 1
SELECT retl_seq, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, retl_in_snapshot, retl_uncertain FROM state.deltas_vip_0a1b2c3d
WHERE retl_run_id = ? AND retl_list_id = ? AND retl_op = 'remove' AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq;
-- with ('r1', 'L1', 10, 19)
