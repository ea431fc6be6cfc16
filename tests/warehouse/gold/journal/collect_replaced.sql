-- collect_replaced 1
duckdb:    CREATE OR REPLACE TABLE temp.replaced_vip_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.replaced_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT s.retl_list_id, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."first_name", s."spent", s."Since", s."tags" FROM state.snapshot_vip_0a1b2c3d AS s
JOIN temp.applied_vip_0a1b2c3d AS t ON t.retl_list_id = s.retl_list_id AND t.retl_identity = s.retl_identity;
