-- cancel_rejected_removals 1
DELETE FROM temp.planned_vip_0a1b2c3d AS retl_p
WHERE retl_p.retl_op = 'remove' AND EXISTS (
  SELECT 1 FROM temp.staged_vip_0a1b2c3d AS s JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NOT NULL AND s.retl_identity = retl_p.retl_identity AND l.retl_list_id = retl_p.retl_list_id);
