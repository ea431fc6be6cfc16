-- select_unmatched_contacts 1
SELECT s.retl_email, s.retl_phone_e164 FROM state.snapshot_vip_0a1b2c3d AS s WHERE s.retl_list_id = ?
AND NOT EXISTS (SELECT 1 FROM temp.met_vip_0a1b2c3d AS t WHERE t.retl_sure AND t.retl_identity = s.retl_identity)
UNION SELECT s.retl_email, s.retl_phone_e164 FROM state.deltas_vip_0a1b2c3d AS s WHERE s.retl_list_id = ?
AND NOT EXISTS (SELECT 1 FROM temp.met_vip_0a1b2c3d AS t WHERE t.retl_sure AND t.retl_identity = s.retl_identity)
ORDER BY 1, 2;
-- with ('L1', 'L1')
