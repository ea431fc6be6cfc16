-- migrations 1
SELECT MAX(version), NULL, NULL FROM "reverse_etl_state".main."meta";

-- migrations 2
SELECT account_id, project FROM "reverse_etl_state".main."models" UNION SELECT account_id, project FROM "reverse_etl_state".main."runs" UNION SELECT account_id, project FROM "reverse_etl_state".main."lists" UNION SELECT account_id, project FROM "reverse_etl_state".main."targets" UNION SELECT account_id, project FROM "reverse_etl_state".main."lease" ORDER BY 1, 2;

-- migrations 3
SELECT table_key FROM "reverse_etl_state".main."models" ORDER BY table_key;

-- migrations 4
CREATE OR REPLACE TABLE "reverse_etl_state".main."meta" AS
SELECT version, CAST(2 AS BIGINT) AS migrating_to, CAST('a copy' AS VARCHAR) AS backup FROM "reverse_etl_state".main."meta";

-- migrations 5
SELECT MAX(version), MAX(migrating_to), MAX(backup) FROM "reverse_etl_state".main."meta";

-- migrations 6
CREATE OR REPLACE TABLE "reverse_etl_state".main."receipts" AS
SELECT run_id, model, list_id, op, first_seq, last_seq, row_count, state, job_id, noted_at AS recorded_at, detail FROM "reverse_etl_state".main."receipts";

-- migrations 7
CREATE OR REPLACE TABLE "reverse_etl_state".main."row_exceptions" AS
SELECT run_id, model, seq, kind, code, field, detail FROM "reverse_etl_state".main."refusals";

-- migrations 8
DROP TABLE IF EXISTS "reverse_etl_state".main."refusals";

-- migrations 9
CREATE OR REPLACE TABLE "reverse_etl_state".main."unmatched_removals" AS
SELECT account_id, project, model, list_id, identity, run_id, noted_at AS recorded_at FROM "reverse_etl_state".main."gone";

-- migrations 10
DROP TABLE IF EXISTS "reverse_etl_state".main."gone";

-- migrations 11
CREATE OR REPLACE TABLE "reverse_etl_state".main."lists" AS
SELECT account_id, project, list_id, name, model, state, noted_at AS recorded_at FROM "reverse_etl_state".main."lists";

-- migrations 12
UPDATE "reverse_etl_state".main."meta" SET version = 2, migrating_to = NULL;
