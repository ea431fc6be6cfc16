-- schema 1
CREATE TABLE IF NOT EXISTS "reverse_etl_state".main."meta" (version BIGINT, migrating_to BIGINT, backup VARCHAR);

-- schema 2
CREATE TABLE IF NOT EXISTS "reverse_etl_state".main."models" (account_id VARCHAR, project VARCHAR, model VARCHAR, table_key VARCHAR, surface VARCHAR, identifiers VARCHAR, checksum VARCHAR);

-- schema 3
CREATE TABLE IF NOT EXISTS "reverse_etl_state".main."targets" (project VARCHAR, destination_id VARCHAR, account_id VARCHAR);

-- schema 4
CREATE TABLE IF NOT EXISTS "reverse_etl_state".main."runs" (run_id VARCHAR, account_id VARCHAR, project VARCHAR, state VARCHAR, started_at VARCHAR, klaviyo_time VARCHAR, ended_at VARCHAR, exit_code BIGINT);

-- schema 5
CREATE TABLE IF NOT EXISTS "reverse_etl_state".main."run_lists" (run_id VARCHAR, model VARCHAR, list_id VARCHAR, list_name VARCHAR, counts VARCHAR, reason VARCHAR);

-- schema 6
CREATE TABLE IF NOT EXISTS "reverse_etl_state".main."receipts" (run_id VARCHAR, model VARCHAR, list_id VARCHAR, op VARCHAR, first_seq BIGINT, last_seq BIGINT, row_count BIGINT, state VARCHAR, job_id VARCHAR, recorded_at VARCHAR, detail VARCHAR, may_have_duplicate BOOLEAN);

-- schema 7
CREATE TABLE IF NOT EXISTS "reverse_etl_state".main."row_exceptions" (run_id VARCHAR, model VARCHAR, seq BIGINT, kind VARCHAR, code VARCHAR, field VARCHAR, detail VARCHAR);

-- schema 8
CREATE TABLE IF NOT EXISTS "reverse_etl_state".main."rejections" (account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, row_key VARCHAR, source VARCHAR, code VARCHAR, field VARCHAR, detail VARCHAR, first_run_id VARCHAR, row_count BIGINT);

-- schema 9
CREATE TABLE IF NOT EXISTS "reverse_etl_state".main."unmatched_removals" (account_id VARCHAR, project VARCHAR, model VARCHAR, list_id VARCHAR, identity VARCHAR, run_id VARCHAR, recorded_at VARCHAR);

-- schema 10
CREATE TABLE IF NOT EXISTS "reverse_etl_state".main."lists" (account_id VARCHAR, project VARCHAR, list_id VARCHAR, name VARCHAR, model VARCHAR, state VARCHAR, recorded_at VARCHAR);

-- schema 11
CREATE TABLE IF NOT EXISTS "reverse_etl_state".main."lease" (account_id VARCHAR, project VARCHAR, owner VARCHAR, expires_at VARCHAR);

-- schema 12
INSERT INTO "reverse_etl_state".main."meta" SELECT 2, NULL, NULL WHERE NOT EXISTS (SELECT 1 FROM "reverse_etl_state".main."meta");

-- schema 13
CREATE TABLE IF NOT EXISTS "reverse_etl_state".main."deltas_vip_0a1b2c3d" (retl_run_id VARCHAR, retl_seq BIGINT, retl_op VARCHAR, retl_in_snapshot BOOLEAN, retl_uncertain BOOLEAN, retl_list_id VARCHAR, retl_identity VARCHAR, retl_email VARCHAR, retl_phone_e164 VARCHAR, retl_external_id VARCHAR, retl_klaviyo_profile_id VARCHAR, retl_first_sent_at VARCHAR, "first_name" VARCHAR, "spent" DECIMAL(10,2), "Since" TIMESTAMP, "tags" JSON);

-- schema 14
CREATE TABLE IF NOT EXISTS "reverse_etl_state".main."rejected_vip_0a1b2c3d" (retl_checksum VARCHAR, retl_list_id VARCHAR, retl_identity VARCHAR, retl_email VARCHAR, retl_phone_e164 VARCHAR, retl_external_id VARCHAR, retl_klaviyo_profile_id VARCHAR, retl_first_sent_at VARCHAR, "first_name" VARCHAR, "spent" DECIMAL(10,2), "Since" TIMESTAMP, "tags" JSON);

-- schema 15
CREATE TABLE IF NOT EXISTS "reverse_etl_state".main."snapshot_vip_0a1b2c3d" (retl_list_id VARCHAR, retl_identity VARCHAR, retl_email VARCHAR, retl_phone_e164 VARCHAR, retl_external_id VARCHAR, retl_klaviyo_profile_id VARCHAR, retl_first_sent_at VARCHAR, "first_name" VARCHAR, "spent" DECIMAL(10,2), "Since" TIMESTAMP, "tags" JSON);

-- schema.follow_columns 1
ALTER TABLE "reverse_etl_state".main."snapshot_vip_0a1b2c3d" ALTER COLUMN "spent" TYPE DECIMAL(10,2) USING CASE WHEN 'n:' || CAST(CAST("spent" AS DOUBLE) AS VARCHAR) = CASE WHEN LENGTH(REPLACE(REPLACE(CAST(TRY_CAST("spent" AS DECIMAL(10,2)) AS VARCHAR), '-', ''), '.', '')) <= 15 THEN 'n:' || CAST(CAST(TRY_CAST("spent" AS DECIMAL(10,2)) AS DOUBLE) AS VARCHAR) ELSE 's:' || CAST(TRY_CAST("spent" AS DECIMAL(10,2)) AS VARCHAR) END THEN TRY_CAST("spent" AS DECIMAL(10,2)) END;

-- schema.follow_columns 2
ALTER TABLE "reverse_etl_state".main."snapshot_vip_0a1b2c3d" ADD COLUMN "Since" TIMESTAMP;

-- schema.follow_columns deltas 1
ALTER TABLE "reverse_etl_state".main."deltas_vip_0a1b2c3d" ALTER COLUMN "spent" TYPE DECIMAL(10,2) USING CASE WHEN 'n:' || CAST(CAST("spent" AS DOUBLE) AS VARCHAR) = CASE WHEN LENGTH(REPLACE(REPLACE(CAST(TRY_CAST("spent" AS DECIMAL(10,2)) AS VARCHAR), '-', ''), '.', '')) <= 15 THEN 'n:' || CAST(CAST(TRY_CAST("spent" AS DECIMAL(10,2)) AS DOUBLE) AS VARCHAR) ELSE 's:' || CAST(TRY_CAST("spent" AS DECIMAL(10,2)) AS VARCHAR) END THEN TRY_CAST("spent" AS DECIMAL(10,2)) END;

-- schema.follow_columns deltas 2
ALTER TABLE "reverse_etl_state".main."deltas_vip_0a1b2c3d" ADD COLUMN "Since" TIMESTAMP;

-- schema.follow_columns new 1
ALTER TABLE "reverse_etl_state".main."rejected_vip_0a1b2c3d" ADD COLUMN "first_name" VARCHAR;

-- schema.follow_columns new 2
ALTER TABLE "reverse_etl_state".main."rejected_vip_0a1b2c3d" ADD COLUMN "spent" DECIMAL(10,2);

-- schema.follow_columns new 3
ALTER TABLE "reverse_etl_state".main."rejected_vip_0a1b2c3d" ADD COLUMN "Since" TIMESTAMP;

-- schema.follow_columns new 4
ALTER TABLE "reverse_etl_state".main."rejected_vip_0a1b2c3d" ADD COLUMN "tags" JSON;
