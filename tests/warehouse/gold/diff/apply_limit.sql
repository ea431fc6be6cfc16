-- apply_limit 1
DELETE FROM temp.planned_vip_0a1b2c3d WHERE retl_op <> 'remove' AND retl_seq NOT IN (
  SELECT retl_seq FROM temp.planned_vip_0a1b2c3d WHERE retl_op <> 'remove' ORDER BY retl_seq LIMIT 5);
UPDATE temp.planned_vip_0a1b2c3d SET retl_op = 'deferred' WHERE retl_op = 'remove';
