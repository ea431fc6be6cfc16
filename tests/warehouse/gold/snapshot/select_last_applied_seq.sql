-- select_last_applied_seq 1
SELECT COALESCE(MAX(retl_seq), 0) FROM temp.applied_vip_0a1b2c3d;
