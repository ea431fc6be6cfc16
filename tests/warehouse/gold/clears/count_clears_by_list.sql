-- count_clears_by_list 1
SELECT retl_list_id, COUNT(*), COUNT(CASE WHEN retl_uncertain THEN 1 END) FROM temp.planned_tiers_2b3c4d5e WHERE retl_cleared IS NOT NULL GROUP BY retl_list_id ORDER BY retl_list_id;
