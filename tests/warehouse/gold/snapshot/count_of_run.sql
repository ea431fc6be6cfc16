-- count_of_run 1
SELECT COUNT(*) FROM state.deltas_vip_0a1b2c3d WHERE retl_run_id = ?;
-- with ('r1',)
