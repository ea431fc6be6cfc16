-- count_nulls 1
SELECT COUNT(*) - COUNT(d."first_name"), COUNT(*) - COUNT(d."spent"), COUNT(*) - COUNT(d."Since"), COUNT(*) - COUNT(d."tags") FROM state.deltas_vip_0a1b2c3d AS d
JOIN temp.applied_vip_0a1b2c3d AS t ON t.retl_seq = d.retl_seq
WHERE d.retl_run_id = ? AND d.retl_op <> 'remove';
-- with ('r1',)
