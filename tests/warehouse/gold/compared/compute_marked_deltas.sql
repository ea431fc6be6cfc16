-- compute_marked_deltas 1
duckdb:    CREATE OR REPLACE TABLE temp.planned_vip_0a1b2c3d AS
duckdb:    SELECT ROW_NUMBER() OVER () AS retl_seq, *
duckdb:    FROM (SELECT * FROM (
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.planned_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
snowflake: SELECT ROW_NUMBER() OVER (ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity) AS retl_seq, *
snowflake: FROM (
SELECT CAST(CASE WHEN s.retl_known THEN 'update' ELSE 'add' END AS VARCHAR) AS retl_op, s.retl_known AS retl_in_snapshot, FALSE AS retl_uncertain,
  CAST('L1' AS VARCHAR) AS retl_list_id, s.retl_identity, CAST(NULL AS VARCHAR) AS retl_email, CAST(NULL AS VARCHAR) AS retl_phone_e164, CAST(NULL AS VARCHAR) AS retl_external_id, CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id, s.retl_first_sent_at
FROM temp.staged_vip_0a1b2c3d AS s WHERE s.retl_problem IS NULL AND NOT s.retl_unchanged
UNION ALL
SELECT 'remove', TRUE, FALSE, retl_k.retl_list_id, retl_k.retl_identity, retl_k.retl_email, retl_k.retl_phone_e164, retl_k.retl_external_id, retl_k.retl_klaviyo_profile_id, retl_k.retl_first_sent_at
FROM state.snapshot_vip_0a1b2c3d AS retl_k WHERE retl_k.retl_list_id = 'L1' AND NOT EXISTS (
  SELECT 1 FROM temp.staged_vip_0a1b2c3d AS s WHERE s.retl_problem IS NULL AND s.retl_identity = retl_k.retl_identity)
duckdb:    ) ORDER BY CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity);
snowflake: ) AS retl_rows;
