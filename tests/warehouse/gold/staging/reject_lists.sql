-- reject_lists 1
duckdb:    CREATE OR REPLACE TABLE temp.refused_vip_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.refused_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT CAST(v.retl_list AS VARCHAR) AS retl_list, CAST(v.retl_problem AS VARCHAR) AS retl_problem
FROM (VALUES (?, ?), (?, ?)) AS v(retl_list, retl_problem);
-- with ('Tea', <RowProblem.OTHER_MODELS_LIST: 'other_models_list'>, 'VIP', <RowProblem.UNKNOWN_LIST: 'unknown_list'>)

-- reject_lists 2
duckdb:    CREATE OR REPLACE TABLE temp.refused_clubs_4e5f6a7b AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.refused_clubs_4e5f6a7b DEFAULT_DDL_COLLATION = '' AS
SELECT CAST(v.retl_list AS VARCHAR) AS retl_list, CAST(v.retl_problem AS VARCHAR) AS retl_problem
FROM (VALUES (?, ?), (?, ?)) AS v(retl_list, retl_problem);
-- with ('Tea', <RowProblem.OTHER_MODELS_LIST: 'other_models_list'>, 'VIP', <RowProblem.UNKNOWN_LIST: 'unknown_list'>)
