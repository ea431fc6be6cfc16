-- count_kept_values 1
SELECT retl_model, COUNT(DISTINCT CASE WHEN POSITION(',first_name,' IN retl_kept) > 0 THEN retl_seq END), COUNT(DISTINCT CASE WHEN POSITION(',spent,' IN retl_kept) > 0 THEN retl_seq END) FROM temp.kept_tiers_2b3c4d5e GROUP BY retl_model ORDER BY retl_model;
