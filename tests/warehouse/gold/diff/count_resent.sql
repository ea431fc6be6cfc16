-- count_resent 1
SELECT retl_list_id, retl_op, COUNT(*) FROM temp.planned_vip_0a1b2c3d WHERE retl_uncertain GROUP BY retl_list_id, retl_op ORDER BY retl_list_id, retl_op;
