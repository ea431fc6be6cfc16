-- replace_list_ids 1
duckdb:    CREATE OR REPLACE TABLE temp.lists_known_6f7a8b9c (retl_list VARCHAR, retl_list_id VARCHAR);
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.lists_known_6f7a8b9c (retl_list VARCHAR, retl_list_id VARCHAR) DEFAULT_DDL_COLLATION = '';
INSERT INTO temp.lists_known_6f7a8b9c VALUES (?, ?);
-- with ('', 'L1')
