-- select_seq_ranges 1
SELECT retl_list_id, retl_op = 'remove' AS retl_removes, MIN(retl_seq), MAX(retl_seq) FROM state.deltas_vip_0a1b2c3d
WHERE retl_run_id = ? GROUP BY retl_list_id, retl_op = 'remove' ORDER BY 3;
-- with ('r1',)
