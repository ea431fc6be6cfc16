-- count_adds_without_profile 1
SELECT p.retl_list_id, COUNT(*) FROM temp.planned_known_6f7a8b9c AS p JOIN state.without_profile_known_6f7a8b9c AS m ON m.retl_list_id = p.retl_list_id AND m.retl_identity = p.retl_identity
WHERE p.retl_op = 'add' GROUP BY p.retl_list_id ORDER BY p.retl_list_id;
