-- count_snapshot_by_list 1
SELECT retl_list_id, COUNT(*) FROM state.snapshot_vip_0a1b2c3d GROUP BY retl_list_id ORDER BY retl_list_id;
