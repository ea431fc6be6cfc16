-- mark_unknown_rows 1
duckdb:    CREATE OR REPLACE TABLE temp.marks_1_codes_8c9d0e1f AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.marks_1_codes_8c9d0e1f DEFAULT_DDL_COLLATION = '' AS
SELECT s.retl_list, s.retl_identity, CAST('unknown_outcome' AS VARCHAR) AS retl_problem, CAST(NULL AS VARCHAR) AS retl_detail, CAST(NULL AS VARCHAR) AS retl_omitted
FROM temp.staged_codes_8c9d0e1f AS s JOIN temp.lists_codes_8c9d0e1f AS l ON s.retl_list = l.retl_list
JOIN (
  SELECT DISTINCT retl_list_id, retl_identity FROM state.deltas_codes_8c9d0e1f WHERE retl_op <> 'remove'
) AS u ON u.retl_list_id = l.retl_list_id AND u.retl_identity = s.retl_identity
WHERE s.retl_problem IS NULL;
