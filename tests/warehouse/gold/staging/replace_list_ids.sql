-- replace_list_ids 1
duckdb:    CREATE OR REPLACE TABLE temp.lists_vip_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.lists_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT CAST(v.retl_list AS VARCHAR) AS retl_list, CAST(v.retl_list_id AS VARCHAR) AS retl_list_id
FROM (VALUES (?, ?), (?, ?), (?, ?)) AS v(retl_list, retl_list_id);
-- with (None, 'L0', '', 'L1', 'b', 'L2')

-- replace_list_ids 2
duckdb:    CREATE OR REPLACE TABLE temp.lists_clubs_4e5f6a7b AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.lists_clubs_4e5f6a7b DEFAULT_DDL_COLLATION = '' AS
SELECT CAST(v.retl_list AS VARCHAR) AS retl_list, CAST(v.retl_list_id AS VARCHAR) AS retl_list_id
FROM (VALUES (?, ?), (?, ?), (?, ?)) AS v(retl_list, retl_list_id);
-- with (None, 'L0', '', 'L1', 'b', 'L2')
