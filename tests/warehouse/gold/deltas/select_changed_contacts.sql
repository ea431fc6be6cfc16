-- select_changed_contacts 1
SELECT d.retl_seq, d.retl_identity, d.retl_email, d.retl_phone_e164 FROM state.deltas_vip_0a1b2c3d AS d
LEFT JOIN state.snapshot_vip_0a1b2c3d AS s ON d.retl_list_id = s.retl_list_id AND d.retl_identity = s.retl_identity
WHERE d.retl_run_id = ? AND d.retl_list_id = ? AND (d.retl_op = 'update' OR (d.retl_op = 'add' AND d.retl_uncertain))
AND ((d.retl_email IS NOT NULL AND d.retl_email IS DISTINCT FROM s.retl_email) OR (d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM s.retl_phone_e164))
AND d.retl_seq BETWEEN ? AND ? ORDER BY d.retl_seq;
-- with ('r1', 'L1', 1, 9)
