-- replace_list_ids 1
duckdb:    CREATE OR REPLACE TABLE temp.lists_tiers_2b3c4d5e (retl_list VARCHAR, retl_list_id VARCHAR);
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.lists_tiers_2b3c4d5e (retl_list VARCHAR, retl_list_id VARCHAR) DEFAULT_DDL_COLLATION = '';
INSERT INTO temp.lists_tiers_2b3c4d5e VALUES (?, ?);
-- with ('', 'L1')
