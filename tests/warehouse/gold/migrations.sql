-- migrations 1
SELECT MAX(version), NULL, NULL FROM "SHOP"."REVERSE_ETL"."META";

-- migrations 2
SELECT account_id, project FROM "SHOP"."REVERSE_ETL"."MODELS" UNION SELECT account_id, project FROM "SHOP"."REVERSE_ETL"."RUNS" UNION SELECT account_id, project FROM "SHOP"."REVERSE_ETL"."LISTS" UNION SELECT account_id, project FROM "SHOP"."REVERSE_ETL"."TARGETS" UNION SELECT account_id, project FROM "SHOP"."REVERSE_ETL"."LEASE" ORDER BY 1, 2;

-- migrations 3
SELECT table_key FROM "SHOP"."REVERSE_ETL"."MODELS" ORDER BY table_key;

-- migrations 4
CREATE OR REPLACE TRANSIENT TABLE "SHOP"."REVERSE_ETL"."META" DATA_RETENTION_TIME_IN_DAYS = 0 AS
SELECT version, CAST(2 AS BIGINT) AS migrating_to, CAST('a copy' AS VARCHAR) AS backup FROM "SHOP"."REVERSE_ETL"."META";

-- migrations 5
SELECT MAX(version), MAX(migrating_to), MAX(backup) FROM "SHOP"."REVERSE_ETL"."META";

-- migrations 6
CREATE OR REPLACE TRANSIENT TABLE "SHOP"."REVERSE_ETL"."RECEIPTS" DATA_RETENTION_TIME_IN_DAYS = 0 AS
SELECT run_id, model, list_id, op, first_seq, last_seq, row_count, state, job_id, noted_at AS recorded_at, detail FROM "SHOP"."REVERSE_ETL"."RECEIPTS";

-- migrations 7
CREATE OR REPLACE TRANSIENT TABLE "SHOP"."REVERSE_ETL"."ROW_EXCEPTIONS" DATA_RETENTION_TIME_IN_DAYS = 0 AS
SELECT run_id, model, seq, kind, code, field, detail FROM "SHOP"."REVERSE_ETL"."REFUSALS";

-- migrations 8
DROP TABLE IF EXISTS "SHOP"."REVERSE_ETL"."REFUSALS";

-- migrations 9
CREATE OR REPLACE TRANSIENT TABLE "SHOP"."REVERSE_ETL"."UNMATCHED_REMOVALS" DATA_RETENTION_TIME_IN_DAYS = 0 AS
SELECT account_id, project, model, list_id, identity, run_id, noted_at AS recorded_at FROM "SHOP"."REVERSE_ETL"."GONE";

-- migrations 10
DROP TABLE IF EXISTS "SHOP"."REVERSE_ETL"."GONE";

-- migrations 11
CREATE OR REPLACE TRANSIENT TABLE "SHOP"."REVERSE_ETL"."LISTS" DATA_RETENTION_TIME_IN_DAYS = 0 AS
SELECT account_id, project, list_id, name, model, state, noted_at AS recorded_at FROM "SHOP"."REVERSE_ETL"."LISTS";

-- migrations 12
UPDATE "SHOP"."REVERSE_ETL"."META" SET version = 2, migrating_to = NULL;
