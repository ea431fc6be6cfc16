-- keep_value 1
UPDATE temp.planned_tiers_2b3c4d5e SET retl_cleared = NULLIF(REPLACE(retl_cleared, ',first_name,', ''), '')
WHERE retl_seq IN (SELECT retl_seq FROM temp.kept_tiers_2b3c4d5e WHERE POSITION(',first_name,' IN retl_kept) > 0);
