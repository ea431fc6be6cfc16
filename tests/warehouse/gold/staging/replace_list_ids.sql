-- replace_list_ids 1
duckdb:    CREATE OR REPLACE TABLE temp.lists_vip_0a1b2c3d (retl_list VARCHAR, retl_list_id VARCHAR);
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.lists_vip_0a1b2c3d (retl_list VARCHAR, retl_list_id VARCHAR) DEFAULT_DDL_COLLATION = '';
INSERT INTO temp.lists_vip_0a1b2c3d VALUES (?, ?), (?, ?), (?, ?);
-- with (None, 'L0', '', 'L1', 'b', 'L2')

-- replace_list_ids 2
duckdb:    CREATE OR REPLACE TABLE temp.lists_clubs_4e5f6a7b (retl_list VARCHAR, retl_list_id VARCHAR);
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.lists_clubs_4e5f6a7b (retl_list VARCHAR, retl_list_id VARCHAR) DEFAULT_DDL_COLLATION = '';
INSERT INTO temp.lists_clubs_4e5f6a7b VALUES (?, ?), (?, ?), (?, ?);
-- with (None, 'L0', '', 'L1', 'b', 'L2')
