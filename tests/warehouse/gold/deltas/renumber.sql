-- renumber 1
UPDATE state.deltas_vip_0a1b2c3d SET retl_seq = retl_seq + 40 WHERE retl_run_id = ? AND retl_seq IN (?, ?);
-- with ('r1', 3, 5)
