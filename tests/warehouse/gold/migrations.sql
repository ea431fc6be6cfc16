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
CREATE OR REPLACE TRANSIENT TABLE "SHOP"."REVERSE_ETL"."TARGETS" DATA_RETENTION_TIME_IN_DAYS = 0 AS
SELECT project, CASE WHEN target LIKE '% to https://a.klaviyo.com' THEN LEFT(target, LENGTH(target) - 25) || '/klaviyo' WHEN target LIKE '% to a sandbox of its own' THEN LEFT(target, LENGTH(target) - 24) || '/sandbox' ELSE LEFT(target, LENGTH(target) - (POSITION(' ' IN REVERSE(target)) - 1) - 4) || '/' || RIGHT(target, (POSITION(' ' IN REVERSE(target)) - 1)) END AS destination_id, account_id FROM "SHOP"."REVERSE_ETL"."TARGETS";

-- migrations 7
CREATE OR REPLACE TRANSIENT TABLE "SHOP"."REVERSE_ETL"."RECEIPTS" DATA_RETENTION_TIME_IN_DAYS = 0 AS
SELECT run_id, model, list_id, op, first_seq, last_seq, row_count, state, job_id, noted_at AS recorded_at, CASE WHEN detail = 'The reply to an earlier try was lost: another import may hold these rows too.' THEN '' ELSE detail END AS detail, detail = 'The reply to an earlier try was lost: another import may hold these rows too.' AS may_have_duplicate FROM "SHOP"."REVERSE_ETL"."RECEIPTS";

-- migrations 8
CREATE OR REPLACE TRANSIENT TABLE "SHOP"."REVERSE_ETL"."ROW_EXCEPTIONS" DATA_RETENTION_TIME_IN_DAYS = 0 AS
SELECT run_id, model, seq, kind, CASE WHEN code = 'unrenderable' THEN 'unencodable' ELSE code END AS code, field, detail FROM "SHOP"."REVERSE_ETL"."REFUSALS";

-- migrations 9
DROP TABLE IF EXISTS "SHOP"."REVERSE_ETL"."REFUSALS";

-- migrations 10
CREATE OR REPLACE TRANSIENT TABLE "SHOP"."REVERSE_ETL"."UNMATCHED_REMOVALS" DATA_RETENTION_TIME_IN_DAYS = 0 AS
SELECT account_id, project, model, list_id, identity, run_id, noted_at AS recorded_at FROM "SHOP"."REVERSE_ETL"."GONE";

-- migrations 11
DROP TABLE IF EXISTS "SHOP"."REVERSE_ETL"."GONE";

-- migrations 12
CREATE OR REPLACE TRANSIENT TABLE "SHOP"."REVERSE_ETL"."LISTS" DATA_RETENTION_TIME_IN_DAYS = 0 AS
SELECT account_id, project, list_id, name, model, state, noted_at AS recorded_at FROM "SHOP"."REVERSE_ETL"."LISTS";

-- migrations 13
UPDATE "SHOP"."REVERSE_ETL"."RUN_LISTS" SET counts = REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(counts, '"desired":', '"rows":'), '"known":', '"snapshot_rows":'), '"held_back":', '"held_at_plan":'), '"held":', '"held_at_lookup":'), '"rejected_by_checks":', '"rejected_by_check":'), '"rejected":', '"rejected_by_klaviyo":'), '"superseded":', '"replaced":'), '"kept":', '"unmanaged":'), '"gone":', '"not_found":'), '"forgotten":', '"left_in_place":');

-- migrations 14
UPDATE "SHOP"."REVERSE_ETL"."REJECTIONS" SET code = 'unencodable' WHERE code = 'unrenderable';

-- migrations 15
UPDATE "SHOP"."REVERSE_ETL"."META" SET version = 2, migrating_to = NULL;
