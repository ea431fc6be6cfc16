-- delete_applied_rows 1
DELETE FROM state.rejected_vip_0a1b2c3d AS retl_r WHERE EXISTS (
  SELECT 1 FROM temp.applied_vip_0a1b2c3d AS t WHERE t.retl_list_id = retl_r.retl_list_id AND t.retl_identity = retl_r.retl_identity);
