-- rename_model_table 1
duckdb:    CREATE OR REPLACE TABLE state.without_profile_vip AS
snowflake: CREATE OR REPLACE TRANSIENT TABLE state.without_profile_vip DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '' COPY GRANTS AS
SELECT * FROM state.missing_vip;
DROP TABLE IF EXISTS state.missing_vip;
