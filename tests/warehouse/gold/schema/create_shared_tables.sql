-- create_shared_tables 1
duckdb:    CREATE TABLE IF NOT EXISTS state.models (account_id VARCHAR, project VARCHAR, model VARCHAR, table_key VARCHAR, surface VARCHAR, identifiers VARCHAR, checksum VARCHAR, live_since VARCHAR, pruned_before VARCHAR);
duckdb:    CREATE TABLE IF NOT EXISTS state.targets (project VARCHAR, destination_id VARCHAR, account_id VARCHAR);
duckdb:    CREATE TABLE IF NOT EXISTS state.runs (run_id VARCHAR, account_id VARCHAR, project VARCHAR, state VARCHAR, started_at VARCHAR, klaviyo_time VARCHAR, ended_at VARCHAR, exit_code BIGINT);
duckdb:    CREATE TABLE IF NOT EXISTS state.run_lists (run_id VARCHAR, model VARCHAR, list_id VARCHAR, list_name VARCHAR, counts VARCHAR, reason VARCHAR);
duckdb:    CREATE TABLE IF NOT EXISTS state.receipts (run_id VARCHAR, model VARCHAR, list_id VARCHAR, op VARCHAR, first_seq BIGINT, last_seq BIGINT, row_count BIGINT, state VARCHAR, job_id VARCHAR, recorded_at VARCHAR, detail VARCHAR, may_have_duplicate BOOLEAN);
duckdb:    CREATE TABLE IF NOT EXISTS state.row_exceptions (run_id VARCHAR, model VARCHAR, seq BIGINT, kind VARCHAR, code VARCHAR, field VARCHAR, detail VARCHAR);
duckdb:    CREATE TABLE IF NOT EXISTS state.rejections (account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, row_key VARCHAR, source VARCHAR, code VARCHAR, field VARCHAR, detail VARCHAR, first_run_id VARCHAR, row_count BIGINT);
duckdb:    CREATE TABLE IF NOT EXISTS state.unmatched_removals (account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, identity VARCHAR, run_id VARCHAR, recorded_at VARCHAR);
duckdb:    CREATE TABLE IF NOT EXISTS state.own_suppressions (account_id VARCHAR, project VARCHAR, model VARCHAR, identity VARCHAR, requested_at VARCHAR, suppressed_at VARCHAR);
duckdb:    CREATE TABLE IF NOT EXISTS state.lists (account_id VARCHAR, project VARCHAR, list_id VARCHAR, name VARCHAR, model VARCHAR, state VARCHAR, recorded_at VARCHAR);
duckdb:    CREATE TABLE IF NOT EXISTS state.removal_holds (account_id VARCHAR, project VARCHAR, list_id VARCHAR, state VARCHAR, reason VARCHAR, recorded_at VARCHAR);
duckdb:    CREATE TABLE IF NOT EXISTS state.lease (account_id VARCHAR, project VARCHAR, owner VARCHAR, expires_at VARCHAR);
duckdb:    CREATE OR REPLACE TABLE state.meta AS
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.models (account_id VARCHAR, project VARCHAR, model VARCHAR, table_key VARCHAR, surface VARCHAR, identifiers VARCHAR, checksum VARCHAR, live_since VARCHAR, pruned_before VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.targets (project VARCHAR, destination_id VARCHAR, account_id VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.runs (run_id VARCHAR, account_id VARCHAR, project VARCHAR, state VARCHAR, started_at VARCHAR, klaviyo_time VARCHAR, ended_at VARCHAR, exit_code BIGINT) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.run_lists (run_id VARCHAR, model VARCHAR, list_id VARCHAR, list_name VARCHAR, counts VARCHAR, reason VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.receipts (run_id VARCHAR, model VARCHAR, list_id VARCHAR, op VARCHAR, first_seq BIGINT, last_seq BIGINT, row_count BIGINT, state VARCHAR, job_id VARCHAR, recorded_at VARCHAR, detail VARCHAR, may_have_duplicate BOOLEAN) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.row_exceptions (run_id VARCHAR, model VARCHAR, seq BIGINT, kind VARCHAR, code VARCHAR, field VARCHAR, detail VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.rejections (account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, row_key VARCHAR, source VARCHAR, code VARCHAR, field VARCHAR, detail VARCHAR, first_run_id VARCHAR, row_count BIGINT) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.unmatched_removals (account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, identity VARCHAR, run_id VARCHAR, recorded_at VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.own_suppressions (account_id VARCHAR, project VARCHAR, model VARCHAR, identity VARCHAR, requested_at VARCHAR, suppressed_at VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.lists (account_id VARCHAR, project VARCHAR, list_id VARCHAR, name VARCHAR, model VARCHAR, state VARCHAR, recorded_at VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.removal_holds (account_id VARCHAR, project VARCHAR, list_id VARCHAR, state VARCHAR, reason VARCHAR, recorded_at VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.lease (account_id VARCHAR, project VARCHAR, owner VARCHAR, expires_at VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE OR REPLACE TRANSIENT TABLE state.meta DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '' COPY GRANTS AS
SELECT CAST(3 AS BIGINT) AS version, CAST(NULL AS BIGINT) AS migrating_to, CAST(NULL AS VARCHAR) AS backup;
