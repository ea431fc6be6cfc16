-- change_table 1
duckdb:    CREATE OR REPLACE TABLE state.targets AS
snowflake: CREATE OR REPLACE TRANSIENT TABLE state.targets DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '' COPY GRANTS AS
SELECT project, CASE WHEN target LIKE '% to https://a.klaviyo.com' THEN LEFT(target, LENGTH(target) - 25) || '/klaviyo' WHEN target LIKE '% to a sandbox of its own' THEN LEFT(target, LENGTH(target) - 24) || '/sandbox' ELSE LEFT(target, LENGTH(target) - (POSITION(' ' IN REVERSE(target)) - 1) - 4) || '/' || RIGHT(target, (POSITION(' ' IN REVERSE(target)) - 1)) END AS destination_id, account_id FROM state.targets;

-- change_table 2
duckdb:    CREATE OR REPLACE TABLE state.receipts AS
snowflake: CREATE OR REPLACE TRANSIENT TABLE state.receipts DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '' COPY GRANTS AS
SELECT run_id, model, list_id, op, first_seq, last_seq, row_count, state, job_id, noted_at AS recorded_at, CASE WHEN detail = 'The reply to an earlier try was lost: another import may hold these rows too.' THEN '' ELSE detail END AS detail, detail = 'The reply to an earlier try was lost: another import may hold these rows too.' AS may_have_duplicate FROM state.receipts;

-- change_table 3
duckdb:    CREATE OR REPLACE TABLE state.row_exceptions AS
snowflake: CREATE OR REPLACE TRANSIENT TABLE state.row_exceptions DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '' COPY GRANTS AS
SELECT run_id, model, seq, kind, CASE WHEN code = 'unrenderable' THEN 'unencodable' ELSE code END AS code, field, detail FROM state.refusals;
DROP TABLE IF EXISTS state.refusals;

-- change_table 4
duckdb:    CREATE OR REPLACE TABLE state.unmatched_removals AS
snowflake: CREATE OR REPLACE TRANSIENT TABLE state.unmatched_removals DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '' COPY GRANTS AS
SELECT account_id, project, model, list_id, identity, run_id, noted_at AS recorded_at FROM state.gone;
DROP TABLE IF EXISTS state.gone;

-- change_table 5
duckdb:    CREATE OR REPLACE TABLE state.lists AS
snowflake: CREATE OR REPLACE TRANSIENT TABLE state.lists DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '' COPY GRANTS AS
SELECT account_id, project, list_id, name, model, state, noted_at AS recorded_at FROM state.lists;

-- change_table 6
duckdb:    CREATE OR REPLACE TABLE state.models AS
snowflake: CREATE OR REPLACE TRANSIENT TABLE state.models DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '' COPY GRANTS AS
SELECT account_id, project, model, table_key, surface, identifiers, checksum, CAST(NULL AS VARCHAR) AS live_since, CAST(NULL AS VARCHAR) AS pruned_before FROM state.models;

-- change_table 7
duckdb:    CREATE OR REPLACE TABLE state.run_lists AS
snowflake: CREATE OR REPLACE TRANSIENT TABLE state.run_lists DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '' COPY GRANTS AS
SELECT run_id, model, list_id, list_name, counts, CASE WHEN reason = '' THEN NULL ELSE 'unknown' END AS stop_cause, reason FROM state.run_lists;

-- change_table 8
duckdb:    CREATE OR REPLACE TABLE state.lists AS
snowflake: CREATE OR REPLACE TRANSIENT TABLE state.lists DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '' COPY GRANTS AS
SELECT account_id, project, list_id, name, model, CASE state WHEN 'e-mail consent' THEN 'email_consent' WHEN 'SMS consent' THEN 'sms_consent' WHEN 'WhatsApp consent' THEN 'whatsapp_consent' ELSE 'members' END AS aspect, CASE WHEN state = 'intended' THEN state ELSE 'owned' END AS state, recorded_at FROM state.lists;

-- change_table 9
duckdb:    CREATE OR REPLACE TABLE state.removal_holds AS
snowflake: CREATE OR REPLACE TRANSIENT TABLE state.removal_holds DATA_RETENTION_TIME_IN_DAYS = 1 DEFAULT_DDL_COLLATION = '' COPY GRANTS AS
SELECT account_id, project, list_id, state, CAST(CASE WHEN state = 'trusted' THEN NULL WHEN reason LIKE 'Klaviyo has %' THEN 'unrecorded_imports' WHEN reason LIKE 'The state does not contain the run %' THEN 'missing_run' ELSE 'unreadable_record' END AS VARCHAR) AS cause, reason, recorded_at FROM state.removal_holds;
