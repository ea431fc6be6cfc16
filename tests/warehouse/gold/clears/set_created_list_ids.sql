-- set_created_list_ids 1
duckdb:    CREATE OR REPLACE TABLE temp.planned_tiers_2b3c4d5e AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.planned_tiers_2b3c4d5e DEFAULT_DDL_COLLATION = '' AS
SELECT CAST(CASE retl_list_id WHEN ? THEN ? ELSE retl_list_id END AS VARCHAR) AS retl_list_id,
  retl_seq, retl_op, retl_in_snapshot, retl_uncertain, retl_cleared, retl_only_clears, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at
FROM temp.planned_tiers_2b3c4d5e;
-- with ('new:VIP', 'L1')
