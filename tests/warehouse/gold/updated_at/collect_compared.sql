-- collect_compared 1
duckdb:    CREATE OR REPLACE TABLE temp.compared_changed_3c4d5e6f AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.compared_changed_3c4d5e6f DEFAULT_DDL_COLLATION = '' AS
SELECT s.retl_identity FROM temp.staged_changed_3c4d5e6f AS s
JOIN temp.lists_changed_3c4d5e6f AS l ON s.retl_list = l.retl_list
LEFT JOIN state.snapshot_changed_3c4d5e6f AS k ON k.retl_list_id = l.retl_list_id AND k.retl_identity = s.retl_identity
WHERE s.retl_problem IS NULL AND NOT COALESCE(k.retl_updated_at = s.retl_updated_at
  AND (s.retl_phone_e164 IS NULL OR s.retl_phone_e164 IS NOT DISTINCT FROM k.retl_phone_e164), FALSE)
UNION
SELECT retl_identity FROM temp.staged_changed_3c4d5e6f WHERE retl_problem IS NULL
GROUP BY retl_list, retl_identity HAVING COUNT(*) > 1
UNION
SELECT s.retl_identity FROM temp.staged_changed_3c4d5e6f AS s JOIN (
  SELECT retl_identity FROM state.deltas_changed_3c4d5e6f UNION ALL
  SELECT retl_identity FROM state.rejected_changed_3c4d5e6f UNION ALL
  SELECT row_key FROM state.rejections
  WHERE account_id = ? AND project = ? AND model = ?
) AS o ON o.retl_identity = s.retl_identity WHERE s.retl_problem IS NULL
UNION
SELECT retl_identity FROM temp.staged_changed_3c4d5e6f WHERE retl_identity IS NULL;
-- with ('acc', 'shop', 'vip')

-- collect_compared 2
duckdb:    CREATE OR REPLACE TABLE temp.compared_changed_3c4d5e6f AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.compared_changed_3c4d5e6f DEFAULT_DDL_COLLATION = '' AS
SELECT s.retl_identity FROM temp.staged_changed_3c4d5e6f AS s
JOIN temp.lists_changed_3c4d5e6f AS l ON s.retl_list = l.retl_list
LEFT JOIN state.snapshot_changed_3c4d5e6f AS k ON k.retl_list_id = l.retl_list_id AND k.retl_identity = s.retl_identity
WHERE s.retl_problem IS NULL AND NOT COALESCE(k.retl_updated_at = s.retl_updated_at
  AND (s.retl_phone_e164 IS NULL OR s.retl_phone_e164 IS NOT DISTINCT FROM k.retl_phone_e164)
  AND l.retl_list_id NOT IN (?, ?), FALSE)
UNION
SELECT retl_identity FROM temp.staged_changed_3c4d5e6f WHERE retl_problem IS NULL
GROUP BY retl_list, retl_identity HAVING COUNT(*) > 1
UNION
SELECT s.retl_identity FROM temp.staged_changed_3c4d5e6f AS s JOIN (
  SELECT retl_identity FROM state.deltas_changed_3c4d5e6f UNION ALL
  SELECT retl_identity FROM state.rejected_changed_3c4d5e6f UNION ALL
  SELECT row_key FROM state.rejections
  WHERE account_id = ? AND project = ? AND model = ?
) AS o ON o.retl_identity = s.retl_identity WHERE s.retl_problem IS NULL
UNION
SELECT retl_identity FROM temp.staged_changed_3c4d5e6f WHERE retl_identity IS NULL;
-- with ('L1', 'L2', 'acc', 'shop', 'vip')

-- collect_compared 3
duckdb:    CREATE OR REPLACE TABLE temp.compared_equal_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.compared_equal_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT s.retl_identity FROM temp.staged_equal_0a1b2c3d AS s
JOIN temp.lists_equal_0a1b2c3d AS l ON s.retl_list = l.retl_list
LEFT JOIN state.snapshot_equal_0a1b2c3d AS k ON k.retl_list_id = l.retl_list_id AND k.retl_identity = s.retl_identity
WHERE s.retl_problem IS NULL AND NOT COALESCE(k.retl_updated_at = s.retl_updated_at
  AND (s.retl_phone_e164 IS NULL OR s.retl_phone_e164 IS NOT DISTINCT FROM k.retl_phone_e164), FALSE)
UNION
SELECT s.retl_identity FROM temp.staged_equal_0a1b2c3d AS s JOIN (
  SELECT retl_identity FROM state.deltas_equal_0a1b2c3d UNION ALL
  SELECT retl_identity FROM state.rejected_equal_0a1b2c3d UNION ALL
  SELECT row_key FROM state.rejections
  WHERE account_id = ? AND project = ? AND model = ?
) AS o ON o.retl_identity = s.retl_identity WHERE s.retl_problem IS NULL;
-- with ('acc', 'shop', 'vip')

-- collect_compared 4
duckdb:    CREATE OR REPLACE TABLE temp.compared_equal_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.compared_equal_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT s.retl_identity FROM temp.staged_equal_0a1b2c3d AS s
JOIN temp.lists_equal_0a1b2c3d AS l ON s.retl_list = l.retl_list
LEFT JOIN state.snapshot_equal_0a1b2c3d AS k ON k.retl_list_id = l.retl_list_id AND k.retl_identity = s.retl_identity
WHERE s.retl_problem IS NULL AND NOT COALESCE(k.retl_updated_at = s.retl_updated_at
  AND (s.retl_phone_e164 IS NULL OR s.retl_phone_e164 IS NOT DISTINCT FROM k.retl_phone_e164)
  AND l.retl_list_id NOT IN (?, ?), FALSE)
UNION
SELECT s.retl_identity FROM temp.staged_equal_0a1b2c3d AS s JOIN (
  SELECT retl_identity FROM state.deltas_equal_0a1b2c3d UNION ALL
  SELECT retl_identity FROM state.rejected_equal_0a1b2c3d UNION ALL
  SELECT row_key FROM state.rejections
  WHERE account_id = ? AND project = ? AND model = ?
) AS o ON o.retl_identity = s.retl_identity WHERE s.retl_problem IS NULL;
-- with ('L1', 'L2', 'acc', 'shop', 'vip')
