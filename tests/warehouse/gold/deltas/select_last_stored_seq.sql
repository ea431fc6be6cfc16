-- select_last_stored_seq 1
SELECT COALESCE(MAX(retl_seq), 0) FROM state.deltas_vip_0a1b2c3d WHERE retl_run_id = ?;
-- with ('r1',)
