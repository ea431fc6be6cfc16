-- prune_without_profile 1
DELETE FROM state.without_profile_known_6f7a8b9c AS m WHERE NOT EXISTS (
  SELECT 1 FROM temp.staged_known_6f7a8b9c AS s JOIN temp.lists_known_6f7a8b9c AS l ON s.retl_list = l.retl_list
  WHERE s.retl_identity = m.retl_identity AND l.retl_list_id = m.retl_list_id);
