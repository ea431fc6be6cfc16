-- replace_list_ids 1
duckdb:    CREATE OR REPLACE TABLE temp.lists_changed_3c4d5e6f AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.lists_changed_3c4d5e6f DEFAULT_DDL_COLLATION = '' AS
SELECT CAST(v.retl_list AS VARCHAR) AS retl_list, CAST(v.retl_list_id AS VARCHAR) AS retl_list_id
FROM (VALUES (?, ?)) AS v(retl_list, retl_list_id);
-- with ('', 'L1')

-- replace_list_ids 2
duckdb:    CREATE OR REPLACE TABLE temp.lists_equal_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.lists_equal_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT CAST(v.retl_list AS VARCHAR) AS retl_list, CAST(v.retl_list_id AS VARCHAR) AS retl_list_id
FROM (VALUES (?, ?)) AS v(retl_list, retl_list_id);
-- with ('', 'L1')
