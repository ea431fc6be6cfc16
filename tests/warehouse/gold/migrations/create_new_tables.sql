-- create_new_tables 1

-- create_new_tables 2
duckdb:    CREATE TABLE IF NOT EXISTS state.own_suppressions (account_id VARCHAR, project VARCHAR, model VARCHAR, identity VARCHAR, requested_at VARCHAR, suppressed_at VARCHAR);
duckdb:    CREATE TABLE IF NOT EXISTS state.removal_holds (account_id VARCHAR, project VARCHAR, list_id VARCHAR, state VARCHAR, reason VARCHAR, recorded_at VARCHAR);
duckdb:    CREATE TABLE IF NOT EXISTS state.consents (account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, identity VARCHAR, run_id VARCHAR, state VARCHAR, sent_at VARCHAR, consented_at VARCHAR);
duckdb:    CREATE TABLE IF NOT EXISTS state.withheld (account_id VARCHAR, project VARCHAR, model VARCHAR, person VARCHAR, digest VARCHAR, profile_id VARCHAR, state VARCHAR, recorded_at VARCHAR);
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.own_suppressions (account_id VARCHAR, project VARCHAR, model VARCHAR, identity VARCHAR, requested_at VARCHAR, suppressed_at VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.removal_holds (account_id VARCHAR, project VARCHAR, list_id VARCHAR, state VARCHAR, reason VARCHAR, recorded_at VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.consents (account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, identity VARCHAR, run_id VARCHAR, state VARCHAR, sent_at VARCHAR, consented_at VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.withheld (account_id VARCHAR, project VARCHAR, model VARCHAR, person VARCHAR, digest VARCHAR, profile_id VARCHAR, state VARCHAR, recorded_at VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';

-- create_new_tables 3
duckdb:    CREATE TABLE IF NOT EXISTS state.responses (account_id VARCHAR, project VARCHAR, model VARCHAR, run_id VARCHAR, row_key VARCHAR, responded_at VARCHAR, method VARCHAR, path VARCHAR, status BIGINT, body VARCHAR, body_is_cut BOOLEAN);
duckdb:    CREATE TABLE IF NOT EXISTS state.own_suppressions (account_id VARCHAR, project VARCHAR, model VARCHAR, identity VARCHAR, requested_at VARCHAR, suppressed_at VARCHAR);
duckdb:    CREATE TABLE IF NOT EXISTS state.removal_holds (account_id VARCHAR, project VARCHAR, list_id VARCHAR, state VARCHAR, reason VARCHAR, recorded_at VARCHAR);
duckdb:    CREATE TABLE IF NOT EXISTS state.consents (account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, identity VARCHAR, run_id VARCHAR, state VARCHAR, sent_at VARCHAR, consented_at VARCHAR);
duckdb:    CREATE TABLE IF NOT EXISTS state.withheld (account_id VARCHAR, project VARCHAR, model VARCHAR, person VARCHAR, digest VARCHAR, profile_id VARCHAR, state VARCHAR, recorded_at VARCHAR);
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.responses (account_id VARCHAR, project VARCHAR, model VARCHAR, run_id VARCHAR, row_key VARCHAR, responded_at VARCHAR, method VARCHAR, path VARCHAR, status BIGINT, body VARCHAR, body_is_cut BOOLEAN) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.own_suppressions (account_id VARCHAR, project VARCHAR, model VARCHAR, identity VARCHAR, requested_at VARCHAR, suppressed_at VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.removal_holds (account_id VARCHAR, project VARCHAR, list_id VARCHAR, state VARCHAR, reason VARCHAR, recorded_at VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.consents (account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, identity VARCHAR, run_id VARCHAR, state VARCHAR, sent_at VARCHAR, consented_at VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.withheld (account_id VARCHAR, project VARCHAR, model VARCHAR, person VARCHAR, digest VARCHAR, profile_id VARCHAR, state VARCHAR, recorded_at VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';

-- create_new_tables 4
duckdb:    CREATE TABLE IF NOT EXISTS state.journal (account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, run_id VARCHAR, seq BIGINT, identity VARCHAR, email VARCHAR, phone_e164 VARCHAR, external_id VARCHAR, klaviyo_profile_id VARCHAR, op VARCHAR, outcome VARCHAR, code VARCHAR, recorded_at VARCHAR, pii VARCHAR, changes VARCHAR);
duckdb:    CREATE TABLE IF NOT EXISTS state.row_outcomes (run_id VARCHAR, model VARCHAR, first_seq BIGINT, last_seq BIGINT, outcome VARCHAR);
duckdb:    CREATE TABLE IF NOT EXISTS state.omissions (account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, row_key VARCHAR, identifier VARCHAR, code VARCHAR, digest VARCHAR, run_id VARCHAR);
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.journal (account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, run_id VARCHAR, seq BIGINT, identity VARCHAR, email VARCHAR, phone_e164 VARCHAR, external_id VARCHAR, klaviyo_profile_id VARCHAR, op VARCHAR, outcome VARCHAR, code VARCHAR, recorded_at VARCHAR, pii VARCHAR, changes VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.row_outcomes (run_id VARCHAR, model VARCHAR, first_seq BIGINT, last_seq BIGINT, outcome VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.omissions (account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, row_key VARCHAR, identifier VARCHAR, code VARCHAR, digest VARCHAR, run_id VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';

-- create_new_tables 5
duckdb:    CREATE TABLE IF NOT EXISTS state.comparisons (account_id VARCHAR, project VARCHAR, model VARCHAR, checksum VARCHAR, compared_at VARCHAR, settled_at VARCHAR, evidence VARCHAR);
snowflake: CREATE TRANSIENT TABLE IF NOT EXISTS state.comparisons (account_id VARCHAR, project VARCHAR, model VARCHAR, checksum VARCHAR, compared_at VARCHAR, settled_at VARCHAR, evidence VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '';
