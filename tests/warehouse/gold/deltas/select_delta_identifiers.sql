-- select_delta_identifiers 1
SELECT retl_seq, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id FROM state.deltas_vip_0a1b2c3d
WHERE retl_run_id = ? AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq;
-- with ('r1', 1, 10)
