-- mark_unknown_rows 1
UPDATE temp.staged_codes_8c9d0e1f AS s SET retl_problem = 'unknown_outcome'
FROM (
  SELECT DISTINCT retl_list_id, retl_identity FROM state.deltas_codes_8c9d0e1f WHERE retl_op <> 'remove'
) AS u, temp.lists_codes_8c9d0e1f AS l
WHERE s.retl_problem IS NULL AND s.retl_list = l.retl_list AND u.retl_list_id = l.retl_list_id
AND s.retl_identity = u.retl_identity;
