-- create_members 1
duckdb:    CREATE OR REPLACE TABLE temp.members_vip_0a1b2c3d (retl_email VARCHAR, retl_phone_e164 VARCHAR, retl_external_id VARCHAR, retl_klaviyo_profile_id VARCHAR, retl_joined_at VARCHAR, retl_joined_late VARCHAR);
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.members_vip_0a1b2c3d (retl_email VARCHAR, retl_phone_e164 VARCHAR, retl_external_id VARCHAR, retl_klaviyo_profile_id VARCHAR, retl_joined_at VARCHAR, retl_joined_late VARCHAR) DEFAULT_DDL_COLLATION = '';
