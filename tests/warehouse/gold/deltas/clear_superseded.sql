-- clear_superseded 1
DELETE FROM state.deltas_vip_0a1b2c3d AS u WHERE EXISTS (
  SELECT 1 FROM temp.planned_vip_0a1b2c3d AS p
  WHERE p.retl_op NOT IN ('held', 'deferred') AND p.retl_list_id = u.retl_list_id AND p.retl_identity = u.retl_identity);
