-- collect_duplicates 1
duckdb:    CREATE TABLE temp.duplicates_vip_0a1b2c3d AS
snowflake: CREATE TEMPORARY TABLE temp.duplicates_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT CAST('' AS VARCHAR) AS retl_list, retl_identity, COUNT(*) AS retl_rows
duckdb:    FROM temp.staged_vip_0a1b2c3d WHERE retl_problem IS NULL AND HASH(retl_identity) IN (SELECT HASH(retl_identity) FROM temp.staged_vip_0a1b2c3d WHERE retl_problem IS NULL GROUP BY HASH(retl_identity) HAVING COUNT(*) > 1)
snowflake: FROM temp.staged_vip_0a1b2c3d WHERE retl_problem IS NULL
GROUP BY retl_identity HAVING COUNT(*) > 1;

-- collect_duplicates 2
duckdb:    CREATE TABLE temp.duplicates_clubs_4e5f6a7b AS
snowflake: CREATE TEMPORARY TABLE temp.duplicates_clubs_4e5f6a7b DEFAULT_DDL_COLLATION = '' AS
SELECT retl_list, retl_identity, COUNT(*) AS retl_rows
duckdb:    FROM temp.staged_clubs_4e5f6a7b WHERE retl_problem IS NULL AND HASH(retl_list, retl_identity) IN (SELECT HASH(retl_list, retl_identity) FROM temp.staged_clubs_4e5f6a7b WHERE retl_problem IS NULL GROUP BY HASH(retl_list, retl_identity) HAVING COUNT(*) > 1)
snowflake: FROM temp.staged_clubs_4e5f6a7b WHERE retl_problem IS NULL
GROUP BY retl_list, retl_identity HAVING COUNT(*) > 1;
