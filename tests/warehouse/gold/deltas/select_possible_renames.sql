-- select_possible_renames 1
SELECT d.retl_seq, d.retl_email, d.retl_phone_e164, d.retl_external_id, d.retl_klaviyo_profile_id FROM state.deltas_vip_0a1b2c3d AS d
LEFT JOIN state.snapshot_vip_0a1b2c3d AS s ON d.retl_list_id = s.retl_list_id AND d.retl_identity = s.retl_identity
WHERE d.retl_run_id = ? AND d.retl_list_id = ? AND d.retl_op IN ('add', 'update')
AND (d.retl_uncertain OR s.retl_identity IS NULL OR d.retl_email IS DISTINCT FROM s.retl_email OR d.retl_phone_e164 IS DISTINCT FROM s.retl_phone_e164)
AND d.retl_seq BETWEEN ? AND ? ORDER BY d.retl_seq;
-- with ('r1', 'L1', 1, 9)
