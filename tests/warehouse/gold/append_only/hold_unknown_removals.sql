-- hold_unknown_removals 1
UPDATE temp.planned_codes_8c9d0e1f AS p SET retl_op = 'held'
FROM (
  SELECT DISTINCT retl_list_id, retl_identity FROM state.deltas_codes_8c9d0e1f WHERE retl_op = 'remove'
) AS u WHERE p.retl_op = 'remove' AND p.retl_list_id = u.retl_list_id AND p.retl_identity = u.retl_identity;
