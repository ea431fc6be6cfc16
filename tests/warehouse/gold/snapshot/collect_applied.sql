-- collect_applied 1
duckdb:    CREATE OR REPLACE TABLE temp.applied_vip_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.applied_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT d.retl_seq, d.retl_op, d.retl_list_id, d.retl_identity
FROM state.deltas_vip_0a1b2c3d AS d JOIN (
  SELECT MIN(first_seq) AS first_seq, MAX(last_seq) AS last_seq FROM (
    SELECT first_seq, last_seq, last_seq - SUM(last_seq - first_seq + 1) OVER (ORDER BY first_seq) AS gaps
    FROM state.receipts WHERE run_id = ? AND model = ? AND state = 'applied'
  ) AS touching GROUP BY gaps
) AS r ON d.retl_seq BETWEEN r.first_seq AND r.last_seq
WHERE d.retl_run_id = ? AND d.retl_seq NOT IN (SELECT f.seq FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ?);
-- with ('r1', 'vip', 'r1', 'r1', 'vip')
