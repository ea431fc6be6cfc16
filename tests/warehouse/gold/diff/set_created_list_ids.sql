-- set_created_list_ids 1
duckdb:    CREATE OR REPLACE TABLE temp.planned_vip_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.planned_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT CAST(CASE retl_list_id WHEN ? THEN ? WHEN ? THEN ? ELSE retl_list_id END AS VARCHAR) AS retl_list_id,
  retl_seq, retl_op, retl_in_snapshot, retl_uncertain, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at
FROM temp.planned_vip_0a1b2c3d;
-- with ('new:VIP', 'L1', 'new:Tea', 'L2')
