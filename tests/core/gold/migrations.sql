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
CREATE OR REPLACE TABLE "reverse_etl_state".main."targets" AS
SELECT project, CASE WHEN target LIKE '% to https://a.klaviyo.com' THEN LEFT(target, LENGTH(target) - 25) || '/klaviyo' WHEN target LIKE '% to a sandbox of its own' THEN LEFT(target, LENGTH(target) - 24) || '/sandbox' ELSE LEFT(target, LENGTH(target) - (POSITION(' ' IN REVERSE(target)) - 1) - 4) || '/' || RIGHT(target, (POSITION(' ' IN REVERSE(target)) - 1)) END AS destination_id, account_id FROM "reverse_etl_state".main."targets";

-- migrations 7
CREATE OR REPLACE TABLE "reverse_etl_state".main."receipts" AS
SELECT run_id, model, list_id, op, first_seq, last_seq, row_count, state, job_id, noted_at AS recorded_at, CASE WHEN detail = 'The reply to an earlier try was lost: another import may hold these rows too.' THEN '' ELSE detail END AS detail, detail = 'The reply to an earlier try was lost: another import may hold these rows too.' AS may_have_duplicate FROM "reverse_etl_state".main."receipts";

-- migrations 8
CREATE OR REPLACE TABLE "reverse_etl_state".main."row_exceptions" AS
SELECT run_id, model, seq, kind, CASE WHEN code = 'unrenderable' THEN 'unencodable' ELSE code END AS code, field, detail FROM "reverse_etl_state".main."refusals";

-- migrations 9
DROP TABLE IF EXISTS "reverse_etl_state".main."refusals";

-- migrations 10
CREATE OR REPLACE TABLE "reverse_etl_state".main."unmatched_removals" AS
SELECT account_id, project, model, list_id, identity, run_id, noted_at AS recorded_at FROM "reverse_etl_state".main."gone";

-- migrations 11
DROP TABLE IF EXISTS "reverse_etl_state".main."gone";

-- migrations 12
CREATE OR REPLACE TABLE "reverse_etl_state".main."lists" AS
SELECT account_id, project, list_id, name, model, state, noted_at AS recorded_at FROM "reverse_etl_state".main."lists";

-- migrations 13
UPDATE "reverse_etl_state".main."run_lists" SET counts = REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(counts, '"desired":', '"rows":'), '"known":', '"snapshot_rows":'), '"held_back":', '"held_at_plan":'), '"held":', '"held_at_lookup":'), '"rejected_by_checks":', '"rejected_by_check":'), '"rejected":', '"rejected_by_klaviyo":'), '"superseded":', '"replaced":'), '"kept":', '"unmanaged":'), '"gone":', '"not_found":'), '"forgotten":', '"left_in_place":');

-- migrations 14
UPDATE "reverse_etl_state".main."rejections" SET code = 'unencodable' WHERE code = 'unrenderable';

-- migrations 15
UPDATE "reverse_etl_state".main."meta" SET version = 2, migrating_to = NULL;
