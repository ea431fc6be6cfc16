-- mark_migrating 1
duckdb:    CREATE OR REPLACE TABLE state.meta AS
snowflake: CREATE OR REPLACE TRANSIENT TABLE state.meta DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '' COPY GRANTS AS
SELECT version, CAST(6 AS BIGINT) AS migrating_to, CAST('a copy' AS VARCHAR) AS backup FROM state.meta;
