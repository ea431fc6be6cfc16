-- delete_rows_without_change 1
DELETE FROM temp.planned_tiers_2b3c4d5e WHERE retl_op = 'update' AND retl_only_clears AND retl_cleared IS NULL;
