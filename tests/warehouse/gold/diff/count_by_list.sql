-- count_by_list 1
SELECT FALSE AS retl_uncertain, retl_list_id, COUNT(*) AS retl_rows FROM state.snapshot_vip_0a1b2c3d GROUP BY retl_list_id
UNION ALL
SELECT TRUE, retl_list_id, COUNT(*) FROM state.deltas_vip_0a1b2c3d GROUP BY retl_list_id
ORDER BY retl_uncertain, retl_list_id;
