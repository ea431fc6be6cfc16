CREATE TABLE "comparisons" ("account_id" VARCHAR, "project" VARCHAR, "model" VARCHAR, "checksum" VARCHAR, "compared_at" VARCHAR, "settled_at" VARCHAR, "evidence" VARCHAR);

CREATE TABLE "consents" ("account_id" VARCHAR, "project" VARCHAR, "model" VARCHAR, "list_id" VARCHAR, "identity" VARCHAR, "run_id" VARCHAR, "state" VARCHAR, "sent_at" VARCHAR, "consented_at" VARCHAR);

CREATE TABLE "deltas_clubs_dfa8bc0f" ("retl_run_id" VARCHAR, "retl_seq" BIGINT, "retl_op" VARCHAR, "retl_in_snapshot" BOOLEAN, "retl_uncertain" BOOLEAN, "retl_list_id" VARCHAR, "retl_identity" VARCHAR, "retl_email" VARCHAR, "retl_phone_e164" VARCHAR, "retl_external_id" VARCHAR, "retl_klaviyo_profile_id" VARCHAR, "retl_first_sent_at" VARCHAR, "Orders" INTEGER);

CREATE TABLE "deltas_everybody_dbc66e10" ("retl_run_id" VARCHAR, "retl_seq" BIGINT, "retl_op" VARCHAR, "retl_in_snapshot" BOOLEAN, "retl_uncertain" BOOLEAN, "retl_list_id" VARCHAR, "retl_identity" VARCHAR, "retl_email" VARCHAR, "retl_phone_e164" VARCHAR, "retl_external_id" VARCHAR, "retl_klaviyo_profile_id" VARCHAR, "retl_first_sent_at" VARCHAR, "first_name" VARCHAR, "location_city" VARCHAR, "orders" INTEGER, "spent" DECIMAL(12,2), "score" DOUBLE, "newsletter" BOOLEAN, "since" DATE, "seen_at" TIMESTAMP);

CREATE TABLE "deltas_testers_23625288" ("retl_run_id" VARCHAR, "retl_seq" BIGINT, "retl_op" VARCHAR, "retl_in_snapshot" BOOLEAN, "retl_uncertain" BOOLEAN, "retl_list_id" VARCHAR, "retl_identity" VARCHAR, "retl_email" VARCHAR, "retl_phone_e164" VARCHAR, "retl_external_id" VARCHAR, "retl_klaviyo_profile_id" VARCHAR, "retl_first_sent_at" VARCHAR);

CREATE TABLE "deltas_vip_e9d83a3c" ("retl_run_id" VARCHAR, "retl_seq" BIGINT, "retl_op" VARCHAR, "retl_in_snapshot" BOOLEAN, "retl_uncertain" BOOLEAN, "retl_list_id" VARCHAR, "retl_identity" VARCHAR, "retl_email" VARCHAR, "retl_phone_e164" VARCHAR, "retl_external_id" VARCHAR, "retl_klaviyo_profile_id" VARCHAR, "retl_first_sent_at" VARCHAR, "first_name" VARCHAR);
INSERT INTO "deltas_vip_e9d83a3c"
SELECT '', 0, 'update', TRUE, TRUE, 'WUECg4', 'email:max@example.com', 'max@example.com', NULL, '13', NULL, '2020-01-01T06:00:00.000Z', 'Max';

CREATE TABLE "journal" ("account_id" VARCHAR, "project" VARCHAR, "model" VARCHAR, "list_id" VARCHAR, "run_id" VARCHAR, "seq" BIGINT, "identity" VARCHAR, "email" VARCHAR, "phone_e164" VARCHAR, "external_id" VARCHAR, "klaviyo_profile_id" VARCHAR, "op" VARCHAR, "outcome" VARCHAR, "code" VARCHAR, "recorded_at" VARCHAR, "pii" VARCHAR, "changes" VARCHAR);

CREATE TABLE "lease" ("account_id" VARCHAR, "project" VARCHAR, "owner" VARCHAR, "expires_at" VARCHAR);

CREATE TABLE "lists" ("account_id" VARCHAR, "project" VARCHAR, "list_id" VARCHAR, "name" VARCHAR, "model" VARCHAR, "aspect" VARCHAR, "state" VARCHAR, "recorded_at" VARCHAR);
INSERT INTO "lists"
SELECT '7b2lBS', 'shop', 'QqSYtc', 'Testers', 'testers', 'members', 'owned', '2020-01-01T06:00:00.000Z'
UNION ALL SELECT '7b2lBS', 'shop', 'WUECg4', 'VIP', 'vip', 'members', 'owned', '2020-01-01T06:00:00.000Z'
UNION ALL SELECT '7b2lBS', 'shop', 'gUcbIR', 'Coffee', 'clubs', 'members', 'owned', '2019-12-31T06:00:00.000Z'
UNION ALL SELECT '7b2lBS', 'shop', 'tWZBIf', 'Tea', 'clubs', 'members', 'owned', '2019-12-31T06:00:00.000Z';

CREATE TABLE "meta" ("version" BIGINT, "migrating_to" BIGINT, "backup" VARCHAR);
INSERT INTO "meta"
SELECT 6, NULL, NULL;

CREATE TABLE "models" ("account_id" VARCHAR, "project" VARCHAR, "model" VARCHAR, "table_key" VARCHAR, "surface" VARCHAR, "identifiers" VARCHAR, "checksum" VARCHAR, "live_since" VARCHAR, "pruned_before" VARCHAR);
INSERT INTO "models"
SELECT '7b2lBS', 'shop', 'clubs', 'clubs_dfa8bc0f', 'list_memberships', '[["email", "email"], ["external_id", "id"]]', 'ab408a326d9fe5bab4ff0966cb90e0c4d906cbb88057ad316463a5b8b2326573', NULL, NULL
UNION ALL SELECT '7b2lBS', 'shop', 'everybody', 'everybody_dbc66e10', 'profiles', '[["email", "email"], ["phone_e164", "phone"], ["external_id", "id"]]', 'cb134d2fcd52db002828c395464be23047a2ebe91be8aa02d2543b5ec88d4220', NULL, NULL
UNION ALL SELECT '7b2lBS', 'shop', 'testers', 'testers_23625288', 'list_memberships_by_profile_id', '[["klaviyo_profile_id", "profile_id"]]', 'a0460548c5163fcc55505438bd73983ed68e8c79d041b5f0cb3242cdb6480a14', NULL, NULL
UNION ALL SELECT '7b2lBS', 'shop', 'vip', 'vip_e9d83a3c', 'list_memberships', '[["email", "email"], ["phone_e164", "phone"], ["external_id", "id"]]', '77cb9426ba6b70a90ac6c524dc03481614bbe410255c77a3508695e5d0bd722d', NULL, NULL;

CREATE TABLE "omissions" ("account_id" VARCHAR, "project" VARCHAR, "model" VARCHAR, "list_id" VARCHAR, "row_key" VARCHAR, "identifier" VARCHAR, "code" VARCHAR, "digest" VARCHAR, "run_id" VARCHAR);

CREATE TABLE "own_suppressions" ("account_id" VARCHAR, "project" VARCHAR, "model" VARCHAR, "identity" VARCHAR, "requested_at" VARCHAR, "suppressed_at" VARCHAR);

CREATE TABLE "receipts" ("run_id" VARCHAR, "model" VARCHAR, "list_id" VARCHAR, "op" VARCHAR, "first_seq" BIGINT, "last_seq" BIGINT, "row_count" BIGINT, "state" VARCHAR, "job_id" VARCHAR, "recorded_at" VARCHAR, "detail" VARCHAR, "may_have_duplicate" BOOLEAN);
INSERT INTO "receipts"
SELECT '20200101T050000-000001', 'clubs', 'gUcbIR', 'add', 1, 3, 3, 'applied', 'aW1wb3J0OjdiMmxCUzplZGIwZWNjZGU0ZjU5MTJkYjIyNA', '2020-01-01T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200101T050000-000001', 'clubs', 'tWZBIf', 'add', 4, 6, 3, 'applied', 'aW1wb3J0OjdiMmxCUzpjYThmYWNiMmE3ZGY0MWQxNmFiNw', '2020-01-01T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200101T050000-000001', 'everybody', '', 'add', 1, 11, 9, 'applied', 'aW1wb3J0OjdiMmxCUzo0MGQ5YmFhNTk1ZDEyM2MzMTE3ZQ', '2020-01-01T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200101T050000-000001', 'testers', 'QqSYtc', 'add', 1, 3, 2, 'applied', NULL, '2020-01-01T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200101T050000-000001', 'vip', 'WUECg4', 'add', 1, 8, 7, 'applied', 'aW1wb3J0OjdiMmxCUzoxYmQ4ZGM5NmMxMzFkOGU4NDVjZg', '2020-01-01T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200102T050000-000002', 'clubs', 'gUcbIR', 'add', 1, 1, 1, 'applied', 'aW1wb3J0OjdiMmxCUzo5M2RlMjA3MDU4YTVjMjQ2ZGU1Nw', '2020-01-02T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200102T050000-000002', 'clubs', 'tWZBIf', 'add', 2, 4, 3, 'applied', 'aW1wb3J0OjdiMmxCUzowNTJhYzU0OTgwYzNlMDgwZmNhZg', '2020-01-02T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200102T050000-000002', 'clubs', 'tWZBIf', 'remove', 5, 5, 1, 'applied', NULL, '2020-01-02T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200102T050000-000002', 'everybody', '', 'add', 1, 5, 5, 'applied', 'aW1wb3J0OjdiMmxCUzo3NjcyN2MzYTFkOGYyMGRjMTA0Zg', '2020-01-02T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200102T050000-000002', 'everybody', '', 'remove', 6, 7, 2, 'applied', NULL, '2020-01-02T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200102T050000-000002', 'testers', 'QqSYtc', 'add', 1, 1, 1, 'applied', NULL, '2020-01-02T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200102T050000-000002', 'testers', 'QqSYtc', 'remove', 2, 2, 1, 'applied', NULL, '2020-01-02T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200102T050000-000002', 'vip', 'WUECg4', 'add', 1, 3, 3, 'applied', 'aW1wb3J0OjdiMmxCUzo0YjZlNDdmYjZmYWNiYTdlOWIwZQ', '2020-01-02T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200102T050000-000002', 'vip', 'WUECg4', 'remove', 4, 7, 4, 'applied', NULL, '2020-01-02T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200104T050000-000004', 'vip', 'WUECg4', 'add', 1, 1, 1, 'applied', 'aW1wb3J0OjdiMmxCUzoxODE0MGYzOGU1YjBiZmM3NmMyNg', '2020-01-04T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200104T050000-000004', 'vip', 'WUECg4', 'remove', 2, 5, 3, 'applied', NULL, '2020-01-04T06:00:00.000Z', '', FALSE;

CREATE TABLE "rejected_clubs_dfa8bc0f" ("retl_checksum" VARCHAR, "retl_list_id" VARCHAR, "retl_identity" VARCHAR, "retl_email" VARCHAR, "retl_phone_e164" VARCHAR, "retl_external_id" VARCHAR, "retl_klaviyo_profile_id" VARCHAR, "retl_first_sent_at" VARCHAR, "Orders" INTEGER);

CREATE TABLE "rejected_everybody_dbc66e10" ("retl_checksum" VARCHAR, "retl_list_id" VARCHAR, "retl_identity" VARCHAR, "retl_email" VARCHAR, "retl_phone_e164" VARCHAR, "retl_external_id" VARCHAR, "retl_klaviyo_profile_id" VARCHAR, "retl_first_sent_at" VARCHAR, "first_name" VARCHAR, "location_city" VARCHAR, "orders" INTEGER, "spent" DECIMAL(12,2), "score" DOUBLE, "newsletter" BOOLEAN, "since" DATE, "seen_at" TIMESTAMP);
INSERT INTO "rejected_everybody_dbc66e10"
SELECT 'cb134d2fcd52db002828c395464be23047a2ebe91be8aa02d2543b5ec88d4220', '', 'email:lea@example.com', 'lea@example.com', NULL, '12', NULL, '2020-01-02T06:00:00.000Z', 'Lea', NULL, 1, '1.00', CAST('NaN' AS DOUBLE), NULL, NULL, NULL;

CREATE TABLE "rejected_testers_23625288" ("retl_checksum" VARCHAR, "retl_list_id" VARCHAR, "retl_identity" VARCHAR, "retl_email" VARCHAR, "retl_phone_e164" VARCHAR, "retl_external_id" VARCHAR, "retl_klaviyo_profile_id" VARCHAR, "retl_first_sent_at" VARCHAR);

CREATE TABLE "rejected_vip_e9d83a3c" ("retl_checksum" VARCHAR, "retl_list_id" VARCHAR, "retl_identity" VARCHAR, "retl_email" VARCHAR, "retl_phone_e164" VARCHAR, "retl_external_id" VARCHAR, "retl_klaviyo_profile_id" VARCHAR, "retl_first_sent_at" VARCHAR, "first_name" VARCHAR);

CREATE TABLE "rejections" ("account_id" VARCHAR, "project" VARCHAR, "model" VARCHAR, "list_id" VARCHAR, "row_key" VARCHAR, "source" VARCHAR, "code" VARCHAR, "field" VARCHAR, "detail" VARCHAR, "first_run_id" VARCHAR, "row_count" BIGINT);
INSERT INTO "rejections"
SELECT '7b2lBS', 'shop', 'clubs', 'tWZBIf', 'email:gus@@example.com', 'check', 'email_malformed', '', '', '20200101T050000-000001', 1
UNION ALL SELECT '7b2lBS', 'shop', 'everybody', '', 'email:gus@@example.com', 'check', 'email_malformed', '', '', '20200101T050000-000001', 1
UNION ALL SELECT '7b2lBS', 'shop', 'everybody', '', 'email:lea@example.com', 'klaviyo', 'unencodable', 'score', 'is not a finite number', '20200103T050000-000003', 1
UNION ALL SELECT '7b2lBS', 'shop', 'everybody', '', 'email:max@@example.com', 'check', 'email_malformed', '', '', '20200102T050000-000002', 1
UNION ALL SELECT '7b2lBS', 'shop', 'vip', 'WUECg4', 'email:gus@@example.com', 'check', 'email_malformed', '', '', '20200101T050000-000001', 1
UNION ALL SELECT '7b2lBS', 'shop', 'vip', 'WUECg4', 'email:max@@example.com', 'check', 'email_malformed', '', '', '20200102T050000-000002', 1;

CREATE TABLE "removal_holds" ("account_id" VARCHAR, "project" VARCHAR, "list_id" VARCHAR, "state" VARCHAR, "cause" VARCHAR, "reason" VARCHAR, "recorded_at" VARCHAR);

CREATE TABLE "responses" ("account_id" VARCHAR, "project" VARCHAR, "model" VARCHAR, "run_id" VARCHAR, "row_key" VARCHAR, "responded_at" VARCHAR, "method" VARCHAR, "path" VARCHAR, "status" BIGINT, "body" VARCHAR, "body_is_cut" BOOLEAN);

CREATE TABLE "row_exceptions" ("run_id" VARCHAR, "model" VARCHAR, "seq" BIGINT, "kind" VARCHAR, "code" VARCHAR, "field" VARCHAR, "detail" VARCHAR);

CREATE TABLE "row_outcomes" ("run_id" VARCHAR, "model" VARCHAR, "first_seq" BIGINT, "last_seq" BIGINT, "outcome" VARCHAR);

CREATE TABLE "run_lists" ("run_id" VARCHAR, "model" VARCHAR, "list_id" VARCHAR, "list_name" VARCHAR, "counts" VARCHAR, "stop_cause" VARCHAR, "reason" VARCHAR);
INSERT INTO "run_lists"
SELECT '20200101T050000-000001', 'clubs', 'gUcbIR', 'Coffee', '{"rows": 3, "snapshot_rows": 0, "adds": 3, "updates": 0, "removes": 0, "left_in_place": 0, "unchanged": 0, "deferred": 0, "held_at_plan": 0, "rejected_by_check": 0, "clears": 0, "without_profile": 0, "withheld": 0, "applied": 3, "unverified": 0, "no_profile": 0, "rejected_by_klaviyo": 0, "opted_out": 0, "pending": 0, "accepted": 0, "unknown": 0, "not_sent": 0, "removed": 0, "replaced": 0, "unmanaged": 0, "not_found": 0, "readmitted": 0, "held_at_lookup": 0}', NULL, ''
UNION ALL SELECT '20200101T050000-000001', 'clubs', 'tWZBIf', 'Tea', '{"rows": 4, "snapshot_rows": 0, "adds": 4, "updates": 0, "removes": 0, "left_in_place": 0, "unchanged": 0, "deferred": 0, "held_at_plan": 0, "rejected_by_check": 1, "clears": 0, "without_profile": 0, "withheld": 0, "applied": 3, "unverified": 0, "no_profile": 0, "rejected_by_klaviyo": 1, "opted_out": 0, "pending": 0, "accepted": 0, "unknown": 0, "not_sent": 0, "removed": 0, "replaced": 0, "unmanaged": 0, "not_found": 0, "readmitted": 0, "held_at_lookup": 0}', NULL, ''
UNION ALL SELECT '20200101T050000-000001', 'everybody', '', '', '{"rows": 11, "snapshot_rows": 0, "adds": 11, "updates": 0, "removes": 0, "left_in_place": 0, "unchanged": 0, "deferred": 0, "held_at_plan": 0, "rejected_by_check": 3, "clears": 0, "without_profile": 0, "withheld": 0, "applied": 9, "unverified": 0, "no_profile": 0, "rejected_by_klaviyo": 2, "opted_out": 0, "pending": 0, "accepted": 0, "unknown": 0, "not_sent": 0, "removed": 0, "replaced": 0, "unmanaged": 0, "not_found": 0, "readmitted": 0, "held_at_lookup": 0}', NULL, ''
UNION ALL SELECT '20200101T050000-000001', 'testers', 'QqSYtc', 'Testers', '{"rows": 3, "snapshot_rows": 0, "adds": 3, "updates": 0, "removes": 0, "left_in_place": 0, "unchanged": 0, "deferred": 0, "held_at_plan": 0, "rejected_by_check": 0, "clears": 0, "without_profile": 0, "withheld": 0, "applied": 2, "unverified": 0, "no_profile": 0, "rejected_by_klaviyo": 1, "opted_out": 0, "pending": 0, "accepted": 0, "unknown": 0, "not_sent": 0, "removed": 0, "replaced": 0, "unmanaged": 0, "not_found": 0, "readmitted": 0, "held_at_lookup": 0}', NULL, ''
UNION ALL SELECT '20200101T050000-000001', 'vip', 'WUECg4', 'VIP', '{"rows": 8, "snapshot_rows": 0, "adds": 8, "updates": 0, "removes": 0, "left_in_place": 0, "unchanged": 0, "deferred": 0, "held_at_plan": 0, "rejected_by_check": 1, "clears": 0, "without_profile": 0, "withheld": 0, "applied": 7, "unverified": 0, "no_profile": 0, "rejected_by_klaviyo": 1, "opted_out": 0, "pending": 0, "accepted": 0, "unknown": 0, "not_sent": 0, "removed": 0, "replaced": 0, "unmanaged": 0, "not_found": 0, "readmitted": 0, "held_at_lookup": 0}', NULL, ''
UNION ALL SELECT '20200102T050000-000002', 'clubs', 'gUcbIR', 'Coffee', '{"rows": 4, "snapshot_rows": 3, "adds": 1, "updates": 0, "removes": 0, "left_in_place": 0, "unchanged": 3, "deferred": 0, "held_at_plan": 0, "rejected_by_check": 0, "clears": 0, "without_profile": 0, "withheld": 0, "applied": 1, "unverified": 0, "no_profile": 0, "rejected_by_klaviyo": 0, "opted_out": 0, "pending": 0, "accepted": 0, "unknown": 0, "not_sent": 0, "removed": 0, "replaced": 0, "unmanaged": 0, "not_found": 0, "readmitted": 0, "held_at_lookup": 0}', NULL, ''
UNION ALL SELECT '20200102T050000-000002', 'clubs', 'tWZBIf', 'Tea', '{"rows": 4, "snapshot_rows": 3, "adds": 2, "updates": 1, "removes": 1, "left_in_place": 0, "unchanged": 1, "deferred": 0, "held_at_plan": 0, "rejected_by_check": 1, "clears": 0, "without_profile": 0, "withheld": 0, "applied": 3, "unverified": 0, "no_profile": 0, "rejected_by_klaviyo": 0, "opted_out": 0, "pending": 0, "accepted": 0, "unknown": 0, "not_sent": 0, "removed": 0, "replaced": 1, "unmanaged": 0, "not_found": 0, "readmitted": 0, "held_at_lookup": 0}', NULL, ''
UNION ALL SELECT '20200102T050000-000002', 'everybody', '', '', '{"rows": 11, "snapshot_rows": 9, "adds": 4, "updates": 1, "removes": 0, "left_in_place": 2, "unchanged": 6, "deferred": 0, "held_at_plan": 0, "rejected_by_check": 3, "clears": 0, "without_profile": 0, "withheld": 0, "applied": 5, "unverified": 0, "no_profile": 0, "rejected_by_klaviyo": 0, "opted_out": 0, "pending": 0, "accepted": 0, "unknown": 0, "not_sent": 0, "removed": 0, "replaced": 0, "unmanaged": 0, "not_found": 0, "readmitted": 0, "held_at_lookup": 0}', NULL, ''
UNION ALL SELECT '20200102T050000-000002', 'testers', 'QqSYtc', 'Testers', '{"rows": 2, "snapshot_rows": 2, "adds": 1, "updates": 0, "removes": 1, "left_in_place": 0, "unchanged": 1, "deferred": 0, "held_at_plan": 0, "rejected_by_check": 0, "clears": 0, "without_profile": 0, "withheld": 0, "applied": 1, "unverified": 0, "no_profile": 0, "rejected_by_klaviyo": 0, "opted_out": 0, "pending": 0, "accepted": 0, "unknown": 0, "not_sent": 0, "removed": 1, "replaced": 0, "unmanaged": 0, "not_found": 0, "readmitted": 0, "held_at_lookup": 0}', NULL, ''
UNION ALL SELECT '20200102T050000-000002', 'vip', 'WUECg4', 'VIP', '{"rows": 5, "snapshot_rows": 7, "adds": 3, "updates": 0, "removes": 4, "left_in_place": 0, "unchanged": 2, "deferred": 0, "held_at_plan": 1, "rejected_by_check": 2, "clears": 0, "without_profile": 0, "withheld": 0, "applied": 3, "unverified": 0, "no_profile": 0, "rejected_by_klaviyo": 0, "opted_out": 0, "pending": 0, "accepted": 0, "unknown": 0, "not_sent": 0, "removed": 1, "replaced": 1, "unmanaged": 1, "not_found": 1, "readmitted": 0, "held_at_lookup": 0}', NULL, ''
UNION ALL SELECT '20200104T050000-000004', 'clubs', 'gUcbIR', 'Coffee', '{"rows": 4, "snapshot_rows": 4, "adds": 0, "updates": 0, "removes": 0, "left_in_place": 0, "unchanged": 4, "deferred": 0, "held_at_plan": 0, "rejected_by_check": 0, "clears": 0, "without_profile": 0, "withheld": 0, "applied": 0, "unverified": 0, "no_profile": 0, "rejected_by_klaviyo": 0, "opted_out": 0, "pending": 0, "accepted": 0, "unknown": 0, "not_sent": 0, "removed": 0, "replaced": 0, "unmanaged": 0, "not_found": 0, "readmitted": 0, "held_at_lookup": 0}', NULL, ''
UNION ALL SELECT '20200104T050000-000004', 'clubs', 'tWZBIf', 'Tea', '{"rows": 4, "snapshot_rows": 4, "adds": 0, "updates": 0, "removes": 0, "left_in_place": 0, "unchanged": 4, "deferred": 0, "held_at_plan": 0, "rejected_by_check": 1, "clears": 0, "without_profile": 0, "withheld": 0, "applied": 0, "unverified": 0, "no_profile": 0, "rejected_by_klaviyo": 0, "opted_out": 0, "pending": 0, "accepted": 0, "unknown": 0, "not_sent": 0, "removed": 0, "replaced": 0, "unmanaged": 0, "not_found": 0, "readmitted": 0, "held_at_lookup": 0}', NULL, ''
UNION ALL SELECT '20200104T050000-000004', 'everybody', '', '', '{"rows": 11, "snapshot_rows": 11, "adds": 0, "updates": 0, "removes": 0, "left_in_place": 0, "unchanged": 11, "deferred": 0, "held_at_plan": 0, "rejected_by_check": 3, "clears": 0, "without_profile": 0, "withheld": 0, "applied": 0, "unverified": 0, "no_profile": 0, "rejected_by_klaviyo": 0, "opted_out": 0, "pending": 0, "accepted": 0, "unknown": 0, "not_sent": 0, "removed": 0, "replaced": 0, "unmanaged": 0, "not_found": 0, "readmitted": 0, "held_at_lookup": 0}', NULL, ''
UNION ALL SELECT '20200104T050000-000004', 'testers', 'QqSYtc', 'Testers', '{"rows": 2, "snapshot_rows": 2, "adds": 0, "updates": 0, "removes": 0, "left_in_place": 0, "unchanged": 2, "deferred": 0, "held_at_plan": 0, "rejected_by_check": 0, "clears": 0, "without_profile": 0, "withheld": 0, "applied": 0, "unverified": 0, "no_profile": 0, "rejected_by_klaviyo": 0, "opted_out": 0, "pending": 0, "accepted": 0, "unknown": 0, "not_sent": 0, "removed": 0, "replaced": 0, "unmanaged": 0, "not_found": 0, "readmitted": 0, "held_at_lookup": 0}', NULL, ''
UNION ALL SELECT '20200104T050000-000004', 'vip', 'WUECg4', 'VIP', '{"rows": 5, "snapshot_rows": 9, "adds": 0, "updates": 1, "removes": 3, "left_in_place": 0, "unchanged": 4, "deferred": 0, "held_at_plan": 1, "rejected_by_check": 2, "clears": 0, "without_profile": 0, "withheld": 0, "applied": 1, "unverified": 0, "no_profile": 0, "rejected_by_klaviyo": 0, "opted_out": 0, "pending": 0, "accepted": 0, "unknown": 0, "not_sent": 0, "removed": 3, "replaced": 0, "unmanaged": 0, "not_found": 0, "readmitted": 0, "held_at_lookup": 0}', NULL, ''
UNION ALL SELECT '20200105T050000-000005', '', '', '', '{}', 'guard', 'The model returned 0 rows; min_rows is 1. 6 rows were sent before. Nothing was sent. At models/vip.sql (model vip), list ''VIP''.';

CREATE TABLE "runs" ("run_id" VARCHAR, "account_id" VARCHAR, "project" VARCHAR, "state" VARCHAR, "started_at" VARCHAR, "klaviyo_time" VARCHAR, "ended_at" VARCHAR, "exit_code" BIGINT);
INSERT INTO "runs"
SELECT '20200101T050000-000001', '7b2lBS', 'shop', 'ended', '2020-01-01T06:00:00.000Z', '2020-01-01T06:00:00.000Z', '2020-01-01T06:00:00.000Z', 1
UNION ALL SELECT '20200102T050000-000002', '7b2lBS', 'shop', 'ended', '2020-01-02T06:00:00.000Z', '2020-01-02T06:00:00.000Z', '2020-01-02T06:00:00.000Z', 1
UNION ALL SELECT '20200103T050000-000003', '7b2lBS', 'shop', 'recovered', '2020-01-03T06:00:00.000Z', '2020-01-02T06:00:00.000Z', '2020-01-03T06:00:00.000Z', NULL
UNION ALL SELECT '20200104T050000-000004', '7b2lBS', 'shop', 'ended', '2020-01-04T06:00:00.000Z', '2020-01-02T06:00:00.000Z', '2020-01-04T06:00:00.000Z', 1
UNION ALL SELECT '20200105T050000-000005', '7b2lBS', 'shop', 'refused', '2020-01-05T06:00:00.000Z', '', '2020-01-05T06:00:00.000Z', 3;

CREATE TABLE "snapshot_clubs_dfa8bc0f" ("retl_list_id" VARCHAR, "retl_identity" VARCHAR, "retl_email" VARCHAR, "retl_phone_e164" VARCHAR, "retl_external_id" VARCHAR, "retl_klaviyo_profile_id" VARCHAR, "retl_first_sent_at" VARCHAR, "Orders" INTEGER);
INSERT INTO "snapshot_clubs_dfa8bc0f"
SELECT 'gUcbIR', 'email:bob@example.com', 'bob@example.com', NULL, '2', NULL, '2020-01-01T06:00:00.000Z', 0
UNION ALL SELECT 'gUcbIR', 'email:cleo@example.com', 'cleo@example.com', NULL, '3', NULL, '2020-01-01T06:00:00.000Z', 12
UNION ALL SELECT 'gUcbIR', 'email:ida@example.com', 'ida@example.com', NULL, '9', NULL, '2020-01-02T06:00:00.000Z', 1
UNION ALL SELECT 'gUcbIR', 'email:kim@example.com', 'kim@example.com', NULL, '11', NULL, '2020-01-01T06:00:00.000Z', 1
UNION ALL SELECT 'tWZBIf', 'email:ann@example.com', 'ann@example.com', NULL, '1', NULL, '2020-01-01T06:00:00.000Z', 4
UNION ALL SELECT 'tWZBIf', 'email:eve.new@example.com', 'eve.new@example.com', NULL, '5', NULL, '2020-01-01T06:00:00.000Z', 1
UNION ALL SELECT 'tWZBIf', 'email:fay@example.com', 'fay@example.com', NULL, '6', NULL, '2020-01-01T06:00:00.000Z', 1
UNION ALL SELECT 'tWZBIf', 'email:nia@example.com', 'nia@example.com', NULL, '14', NULL, '2020-01-02T06:00:00.000Z', NULL;

CREATE TABLE "snapshot_everybody_dbc66e10" ("retl_list_id" VARCHAR, "retl_identity" VARCHAR, "retl_email" VARCHAR, "retl_phone_e164" VARCHAR, "retl_external_id" VARCHAR, "retl_klaviyo_profile_id" VARCHAR, "retl_first_sent_at" VARCHAR, "first_name" VARCHAR, "location_city" VARCHAR, "orders" INTEGER, "spent" DECIMAL(12,2), "score" DOUBLE, "newsletter" BOOLEAN, "since" DATE, "seen_at" TIMESTAMP);
INSERT INTO "snapshot_everybody_dbc66e10"
SELECT '', 'email:ann@example.com', 'ann@example.com', '+14155550101', '1', NULL, '2020-01-01T06:00:00.000Z', 'Ann', 'Gdańsk', 4, '120.50', 0.5, TRUE, '2019-02-28', '2019-12-31 23:59:59.500000'
UNION ALL SELECT '', 'email:bob@example.com', 'bob@example.com', NULL, '2', NULL, '2020-01-01T06:00:00.000Z', 'Robert "Bob"', NULL, 0, '0.00', NULL, FALSE, NULL, NULL
UNION ALL SELECT '', 'email:cleo@example.com', 'cleo@example.com', '+442079460303', '3', NULL, '2020-01-01T06:00:00.000Z', 'Cléo 🌻', 'London', 12, '1000000.10', 1e-07, NULL, '2018-01-01', NULL
UNION ALL SELECT '', 'email:eve.new@example.com', 'eve.new@example.com', NULL, '5', NULL, '2020-01-02T06:00:00.000Z', 'Eve', 'Oakland', 1, '9.99', 2.0, TRUE, '2019-06-01', '2019-06-01 08:00:00'
UNION ALL SELECT '', 'email:fay@example.com', 'fay@example.com', NULL, '6', NULL, '2020-01-01T06:00:00.000Z', 'Fay', 'Oakland', 1, '9.99', 3.25, TRUE, '2019-06-01', '2019-06-01 08:00:00'
UNION ALL SELECT '', 'email:hal@example.com', 'hal@example.com', NULL, '8', NULL, '2020-01-02T06:00:00.000Z', 'Hal', NULL, 1, '1.00', NULL, NULL, NULL, NULL
UNION ALL SELECT '', 'email:ida@example.com', 'ida@example.com', NULL, '9', NULL, '2020-01-01T06:00:00.000Z', 'Ida', NULL, 1, '1.00', NULL, NULL, NULL, NULL
UNION ALL SELECT '', 'email:jo@example.com', 'jo@example.com', NULL, '10', NULL, '2020-01-02T06:00:00.000Z', 'Joanna', NULL, 1, '1.00', NULL, NULL, NULL, NULL
UNION ALL SELECT '', 'email:kim@example.com', 'kim@example.com', NULL, '11', NULL, '2020-01-01T06:00:00.000Z', 'Kim', NULL, 1, '1.00', NULL, NULL, NULL, NULL
UNION ALL SELECT '', 'email:nia@example.com', 'nia@example.com', NULL, '14', NULL, '2020-01-02T06:00:00.000Z', 'Nia', NULL, NULL, NULL, NULL, NULL, NULL, NULL
UNION ALL SELECT '', 'phone_e164:+442079460304', NULL, '+442079460304', '4', NULL, '2020-01-01T06:00:00.000Z', 'Dov', '', NULL, NULL, NULL, NULL, NULL, NULL;

CREATE TABLE "snapshot_testers_23625288" ("retl_list_id" VARCHAR, "retl_identity" VARCHAR, "retl_email" VARCHAR, "retl_phone_e164" VARCHAR, "retl_external_id" VARCHAR, "retl_klaviyo_profile_id" VARCHAR, "retl_first_sent_at" VARCHAR);
INSERT INTO "snapshot_testers_23625288"
SELECT 'QqSYtc', 'klaviyo_profile_id:0193TY6YDT85JGD7EPRSDJV405', NULL, NULL, NULL, '0193TY6YDT85JGD7EPRSDJV405', '2020-01-01T06:00:00.000Z'
UNION ALL SELECT 'QqSYtc', 'klaviyo_profile_id:01TE18JBJST4PXYWEZZBYMAK8S', NULL, NULL, NULL, '01TE18JBJST4PXYWEZZBYMAK8S', '2020-01-02T06:00:00.000Z';

CREATE TABLE "snapshot_vip_e9d83a3c" ("retl_list_id" VARCHAR, "retl_identity" VARCHAR, "retl_email" VARCHAR, "retl_phone_e164" VARCHAR, "retl_external_id" VARCHAR, "retl_klaviyo_profile_id" VARCHAR, "retl_first_sent_at" VARCHAR, "first_name" VARCHAR);
INSERT INTO "snapshot_vip_e9d83a3c"
SELECT 'WUECg4', 'email:ann@example.com', 'ann@example.com', '+14155550101', '1', NULL, '2020-01-01T06:00:00.000Z', 'Ann'
UNION ALL SELECT 'WUECg4', 'email:eve.new@example.com', 'eve.new@example.com', '+14155550105', '5', NULL, '2020-01-01T06:00:00.000Z', 'Eve'
UNION ALL SELECT 'WUECg4', 'email:jo@example.com', 'jo@example.com', NULL, '10', NULL, '2020-01-02T06:00:00.000Z', 'Joanna'
UNION ALL SELECT 'WUECg4', 'email:max@example.com', 'max@example.com', NULL, '13', NULL, '2020-01-01T06:00:00.000Z', 'Max'
UNION ALL SELECT 'WUECg4', 'email:nia@example.com', 'nia@example.com', NULL, '14', NULL, '2020-01-02T06:00:00.000Z', 'Nia'
UNION ALL SELECT 'WUECg4', 'phone_e164:+442079460304', NULL, '+442079460304', '4', NULL, '2020-01-01T06:00:00.000Z', 'Dov';

CREATE TABLE "targets" ("project" VARCHAR, "destination_id" VARCHAR, "account_id" VARCHAR);
INSERT INTO "targets"
SELECT 'shop', 'prod/http://127.0.0.1:8765', '7b2lBS';

CREATE TABLE "unmatched_removals" ("account_id" VARCHAR, "project" VARCHAR, "model" VARCHAR, "list_id" VARCHAR, "identity" VARCHAR, "run_id" VARCHAR, "recorded_at" VARCHAR);
INSERT INTO "unmatched_removals"
SELECT '7b2lBS', 'shop', 'vip', 'WUECg4', 'email:kim@example.com', '20200102T050000-000002', '2020-01-02T06:00:00.000Z';

CREATE TABLE "withheld" ("account_id" VARCHAR, "project" VARCHAR, "model" VARCHAR, "person" VARCHAR, "digest" VARCHAR, "profile_id" VARCHAR, "state" VARCHAR, "recorded_at" VARCHAR);
