-- select_open_changes 1
SELECT retl_list_id, retl_identity, retl_run_id, retl_seq, retl_op, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id
FROM state.deltas_vip_0a1b2c3d WHERE (retl_email = ? OR retl_external_id = ?) ORDER BY 3, 4 LIMIT 20;
-- with ('ann@example.com', '17')
