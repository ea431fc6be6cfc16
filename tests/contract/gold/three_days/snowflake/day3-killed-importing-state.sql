CREATE TRANSIENT TABLE "COMPARISONS" ("ACCOUNT_ID" VARCHAR, "PROJECT" VARCHAR, "MODEL" VARCHAR, "CHECKSUM" VARCHAR, "COMPARED_AT" VARCHAR, "SETTLED_AT" VARCHAR, "EVIDENCE" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;

CREATE TRANSIENT TABLE "CONSENTS" ("ACCOUNT_ID" VARCHAR, "PROJECT" VARCHAR, "MODEL" VARCHAR, "LIST_ID" VARCHAR, "IDENTITY" VARCHAR, "RUN_ID" VARCHAR, "STATE" VARCHAR, "SENT_AT" VARCHAR, "CONSENTED_AT" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;

CREATE TRANSIENT TABLE "DELTAS_CLUBS_DFA8BC0F" ("RETL_RUN_ID" VARCHAR, "RETL_SEQ" NUMBER(38,0), "RETL_OP" VARCHAR, "RETL_IN_SNAPSHOT" BOOLEAN, "RETL_UNCERTAIN" BOOLEAN, "RETL_LIST_ID" VARCHAR, "RETL_IDENTITY" VARCHAR, "RETL_EMAIL" VARCHAR, "RETL_PHONE_E164" VARCHAR, "RETL_EXTERNAL_ID" VARCHAR, "RETL_KLAVIYO_PROFILE_ID" VARCHAR, "RETL_FIRST_SENT_AT" VARCHAR, "Orders" NUMBER(38,0)) DATA_RETENTION_TIME_IN_DAYS = 0;
INSERT INTO "DELTAS_CLUBS_DFA8BC0F"
SELECT '20200106T050000-000006', 1, 'add', FALSE, FALSE, 'gUcbIR', 'email:cleo.new@example.com', 'cleo.new@example.com', NULL, '3', NULL, '2020-01-03T07:00:00.000Z', 12
UNION ALL SELECT '20200106T050000-000006', 10, 'remove', TRUE, FALSE, 'tWZBIf', 'email:fay@example.com', 'fay@example.com', NULL, '6', NULL, '2020-01-01T06:00:00.000Z', NULL
UNION ALL SELECT '20200106T050000-000006', 2, 'add', FALSE, FALSE, 'gUcbIR', 'email:ola@example.com', 'ola@example.com', NULL, '15', NULL, '2020-01-03T07:00:00.000Z', NULL
UNION ALL SELECT '20200106T050000-000006', 3, 'remove', TRUE, FALSE, 'gUcbIR', 'email:cleo@example.com', 'cleo@example.com', NULL, '3', NULL, '2020-01-01T06:00:00.000Z', NULL
UNION ALL SELECT '20200106T050000-000006', 4, 'add', FALSE, FALSE, 'BTsq5P', 'email:pia@example.com', 'pia@example.com', NULL, '16', NULL, '2020-01-03T07:00:00.000Z', NULL
UNION ALL SELECT '20200106T050000-000006', 5, 'add', FALSE, FALSE, 'BTsq5P', 'email:quin@example.com', 'quin@example.com', NULL, '17', NULL, '2020-01-03T07:00:00.000Z', NULL
UNION ALL SELECT '20200106T050000-000006', 6, 'add', FALSE, FALSE, 'xUfzmg', 'email:uma@example.com', 'uma@example.com', NULL, '20', NULL, '2020-01-03T07:00:00.000Z', NULL
UNION ALL SELECT '20200106T050000-000006', 7, 'add', FALSE, FALSE, 'ZxYHEe', 'email:rob@example.com', 'rob@example.com', NULL, '18', NULL, '2020-01-03T07:00:00.000Z', NULL
UNION ALL SELECT '20200106T050000-000006', 8, 'add', FALSE, FALSE, 'ZxYHEe', 'email:sam@example.com', 'sam@example.com', NULL, '19', NULL, '2020-01-03T07:00:00.000Z', NULL
UNION ALL SELECT '20200106T050000-000006', 9, 'update', TRUE, FALSE, 'tWZBIf', 'email:ann@example.com', 'ann@example.com', NULL, '1', NULL, '2020-01-01T06:00:00.000Z', 5;

CREATE TRANSIENT TABLE "DELTAS_EVERYBODY_DBC66E10" ("RETL_RUN_ID" VARCHAR, "RETL_SEQ" NUMBER(38,0), "RETL_OP" VARCHAR, "RETL_IN_SNAPSHOT" BOOLEAN, "RETL_UNCERTAIN" BOOLEAN, "RETL_LIST_ID" VARCHAR, "RETL_IDENTITY" VARCHAR, "RETL_EMAIL" VARCHAR, "RETL_PHONE_E164" VARCHAR, "RETL_EXTERNAL_ID" VARCHAR, "RETL_KLAVIYO_PROFILE_ID" VARCHAR, "RETL_FIRST_SENT_AT" VARCHAR, "FIRST_NAME" VARCHAR, "LOCATION_CITY" VARCHAR, "ORDERS" NUMBER(38,0), "SPENT" NUMBER(12,2), "SCORE" FLOAT, "NEWSLETTER" BOOLEAN, "SINCE" DATE, "SEEN_AT" TIMESTAMP_NTZ) DATA_RETENTION_TIME_IN_DAYS = 0;

CREATE TRANSIENT TABLE "DELTAS_TESTERS_23625288" ("RETL_RUN_ID" VARCHAR, "RETL_SEQ" NUMBER(38,0), "RETL_OP" VARCHAR, "RETL_IN_SNAPSHOT" BOOLEAN, "RETL_UNCERTAIN" BOOLEAN, "RETL_LIST_ID" VARCHAR, "RETL_IDENTITY" VARCHAR, "RETL_EMAIL" VARCHAR, "RETL_PHONE_E164" VARCHAR, "RETL_EXTERNAL_ID" VARCHAR, "RETL_KLAVIYO_PROFILE_ID" VARCHAR, "RETL_FIRST_SENT_AT" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;

CREATE TRANSIENT TABLE "DELTAS_VIP_E9D83A3C" ("RETL_RUN_ID" VARCHAR, "RETL_SEQ" NUMBER(38,0), "RETL_OP" VARCHAR, "RETL_IN_SNAPSHOT" BOOLEAN, "RETL_UNCERTAIN" BOOLEAN, "RETL_LIST_ID" VARCHAR, "RETL_IDENTITY" VARCHAR, "RETL_EMAIL" VARCHAR, "RETL_PHONE_E164" VARCHAR, "RETL_EXTERNAL_ID" VARCHAR, "RETL_KLAVIYO_PROFILE_ID" VARCHAR, "RETL_FIRST_SENT_AT" VARCHAR, "FIRST_NAME" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;
INSERT INTO "DELTAS_VIP_E9D83A3C"
SELECT '', 0, 'update', TRUE, TRUE, 'WUECg4', 'email:max@example.com', 'max@example.com', NULL, '13', NULL, '2020-01-01T06:00:00.000Z', 'Max';

CREATE TRANSIENT TABLE "JOURNAL" ("ACCOUNT_ID" VARCHAR, "PROJECT" VARCHAR, "MODEL" VARCHAR, "LIST_ID" VARCHAR, "RUN_ID" VARCHAR, "SEQ" NUMBER(38,0), "IDENTITY" VARCHAR, "EMAIL" VARCHAR, "PHONE_E164" VARCHAR, "EXTERNAL_ID" VARCHAR, "KLAVIYO_PROFILE_ID" VARCHAR, "OP" VARCHAR, "OUTCOME" VARCHAR, "CODE" VARCHAR, "RECORDED_AT" VARCHAR, "PII" VARCHAR, "CHANGES" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;

CREATE TRANSIENT TABLE "LEASE" ("ACCOUNT_ID" VARCHAR, "PROJECT" VARCHAR, "OWNER" VARCHAR, "EXPIRES_AT" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;
INSERT INTO "LEASE"
SELECT '7b2lBS', 'shop', 'host:1:0', '2020-01-06T06:00:00.000Z';

CREATE TRANSIENT TABLE "LISTS" ("ACCOUNT_ID" VARCHAR, "PROJECT" VARCHAR, "LIST_ID" VARCHAR, "NAME" VARCHAR, "MODEL" VARCHAR, "ASPECT" VARCHAR, "STATE" VARCHAR, "RECORDED_AT" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;
INSERT INTO "LISTS"
SELECT '7b2lBS', 'shop', 'BTsq5P', 'Cocoa', 'clubs', 'members', 'owned', '2020-01-05T06:00:00.000Z'
UNION ALL SELECT '7b2lBS', 'shop', 'QqSYtc', 'Testers', 'testers', 'members', 'owned', '2020-01-01T06:00:00.000Z'
UNION ALL SELECT '7b2lBS', 'shop', 'WUECg4', 'VIP', 'vip', 'members', 'owned', '2020-01-01T06:00:00.000Z'
UNION ALL SELECT '7b2lBS', 'shop', 'ZxYHEe', 'Milk', 'clubs', 'members', 'owned', '2020-01-05T06:00:00.000Z'
UNION ALL SELECT '7b2lBS', 'shop', 'gUcbIR', 'Coffee', 'clubs', 'members', 'owned', '2019-12-31T06:00:00.000Z'
UNION ALL SELECT '7b2lBS', 'shop', 'tWZBIf', 'Tea', 'clubs', 'members', 'owned', '2019-12-31T06:00:00.000Z'
UNION ALL SELECT '7b2lBS', 'shop', 'xUfzmg', 'Mate', 'clubs', 'members', 'owned', '2020-01-05T06:00:00.000Z'
UNION ALL SELECT '7b2lBS', 'shop', NULL, 'Juice', 'juice', 'members', 'intended', '2020-01-03T07:00:00.000Z';

CREATE TRANSIENT TABLE "META" ("VERSION" NUMBER(38,0), "MIGRATING_TO" NUMBER(38,0), "BACKUP" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;
INSERT INTO "META"
SELECT 6, NULL, NULL;

CREATE TRANSIENT TABLE "MODELS" ("ACCOUNT_ID" VARCHAR, "PROJECT" VARCHAR, "MODEL" VARCHAR, "TABLE_KEY" VARCHAR, "SURFACE" VARCHAR, "IDENTIFIERS" VARCHAR, "CHECKSUM" VARCHAR, "LIVE_SINCE" VARCHAR, "PRUNED_BEFORE" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;
INSERT INTO "MODELS"
SELECT '7b2lBS', 'shop', 'clubs', 'clubs_dfa8bc0f', 'list_memberships', '[["email", "EMAIL"], ["external_id", "ID"]]', 'c7e2634878614a6ff180acf8f4745514e6f125a7e62e5e79e129bafbe873aef1', NULL, NULL
UNION ALL SELECT '7b2lBS', 'shop', 'everybody', 'everybody_dbc66e10', 'profiles', '[["email", "EMAIL"], ["phone_e164", "PHONE"], ["external_id", "ID"]]', '4d1ea51a0677dfe0e2ad9c9ee79cff2d13a2c593283d7f915768586c4553e1f5', NULL, NULL
UNION ALL SELECT '7b2lBS', 'shop', 'testers', 'testers_23625288', 'list_memberships_by_profile_id', '[["klaviyo_profile_id", "PROFILE_ID"]]', 'a1532c0c9cbb2e0db95a10a693c37c2eb03f2a96a98709c58fe557924dcacc71', NULL, NULL
UNION ALL SELECT '7b2lBS', 'shop', 'vip', 'vip_e9d83a3c', 'list_memberships', '[["email", "EMAIL"], ["phone_e164", "PHONE"], ["external_id", "ID"]]', '5d8e6741e2507c9d6c17ee217d408a91097ceac1b8ed8b9a5e20d4f6cc1a54bf', NULL, NULL;

CREATE TRANSIENT TABLE "OMISSIONS" ("ACCOUNT_ID" VARCHAR, "PROJECT" VARCHAR, "MODEL" VARCHAR, "LIST_ID" VARCHAR, "ROW_KEY" VARCHAR, "IDENTIFIER" VARCHAR, "CODE" VARCHAR, "DIGEST" VARCHAR, "RUN_ID" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;

CREATE TRANSIENT TABLE "OWN_SUPPRESSIONS" ("ACCOUNT_ID" VARCHAR, "PROJECT" VARCHAR, "MODEL" VARCHAR, "IDENTITY" VARCHAR, "REQUESTED_AT" VARCHAR, "SUPPRESSED_AT" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;

CREATE TRANSIENT TABLE "RECEIPTS" ("RUN_ID" VARCHAR, "MODEL" VARCHAR, "LIST_ID" VARCHAR, "OP" VARCHAR, "FIRST_SEQ" NUMBER(38,0), "LAST_SEQ" NUMBER(38,0), "ROW_COUNT" NUMBER(38,0), "STATE" VARCHAR, "JOB_ID" VARCHAR, "RECORDED_AT" VARCHAR, "DETAIL" VARCHAR, "MAY_HAVE_DUPLICATE" BOOLEAN) DATA_RETENTION_TIME_IN_DAYS = 0;
INSERT INTO "RECEIPTS"
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
UNION ALL SELECT '20200104T050000-000004', 'vip', 'WUECg4', 'remove', 2, 5, 3, 'applied', NULL, '2020-01-04T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200106T050000-000006', 'clubs', 'BTsq5P', 'add', 4, 5, 2, 'accepted', 'aW1wb3J0OjdiMmxCUzo5ODIxZTk1Nzc1YmY0NDJlYWMyZg', '2020-01-06T06:00:00.000Z', '', TRUE
UNION ALL SELECT '20200106T050000-000006', 'clubs', 'ZxYHEe', 'add', 7, 8, 2, 'accepted', 'aW1wb3J0OjdiMmxCUzo4ZmQyZDFhMDdlYmNkZjlmNzVlYg', '2020-01-06T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200106T050000-000006', 'clubs', 'gUcbIR', 'add', 1, 2, 2, 'accepted', 'aW1wb3J0OjdiMmxCUzpiNjYzMWJiZmU5MDMyNTU2NDU2Yw', '2020-01-06T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200106T050000-000006', 'clubs', 'tWZBIf', 'add', 9, 9, 1, 'accepted', 'aW1wb3J0OjdiMmxCUzplMjhjZGMyNjkwMzc5MzdjNzQxYg', '2020-01-06T06:00:00.000Z', '', FALSE
UNION ALL SELECT '20200106T050000-000006', 'clubs', 'xUfzmg', 'add', 6, 6, 1, 'not_sent', NULL, '2020-01-06T06:00:00.000Z', 'Klaviyo refused the request (invalid). A fault that was asked for.', FALSE;

CREATE TRANSIENT TABLE "REJECTED_CLUBS_DFA8BC0F" ("RETL_CHECKSUM" VARCHAR, "RETL_LIST_ID" VARCHAR, "RETL_IDENTITY" VARCHAR, "RETL_EMAIL" VARCHAR, "RETL_PHONE_E164" VARCHAR, "RETL_EXTERNAL_ID" VARCHAR, "RETL_KLAVIYO_PROFILE_ID" VARCHAR, "RETL_FIRST_SENT_AT" VARCHAR, "Orders" NUMBER(38,0)) DATA_RETENTION_TIME_IN_DAYS = 0;

CREATE TRANSIENT TABLE "REJECTED_EVERYBODY_DBC66E10" ("RETL_CHECKSUM" VARCHAR, "RETL_LIST_ID" VARCHAR, "RETL_IDENTITY" VARCHAR, "RETL_EMAIL" VARCHAR, "RETL_PHONE_E164" VARCHAR, "RETL_EXTERNAL_ID" VARCHAR, "RETL_KLAVIYO_PROFILE_ID" VARCHAR, "RETL_FIRST_SENT_AT" VARCHAR, "FIRST_NAME" VARCHAR, "LOCATION_CITY" VARCHAR, "ORDERS" NUMBER(38,0), "SPENT" NUMBER(12,2), "SCORE" FLOAT, "NEWSLETTER" BOOLEAN, "SINCE" DATE, "SEEN_AT" TIMESTAMP_NTZ) DATA_RETENTION_TIME_IN_DAYS = 0;
INSERT INTO "REJECTED_EVERYBODY_DBC66E10"
SELECT '4d1ea51a0677dfe0e2ad9c9ee79cff2d13a2c593283d7f915768586c4553e1f5', '', 'email:lea@example.com', 'lea@example.com', NULL, '12', NULL, '2020-01-02T06:00:00.000Z', 'Lea', NULL, 1, '1.00', CAST('NaN' AS DOUBLE), NULL, NULL, NULL;

CREATE TRANSIENT TABLE "REJECTED_TESTERS_23625288" ("RETL_CHECKSUM" VARCHAR, "RETL_LIST_ID" VARCHAR, "RETL_IDENTITY" VARCHAR, "RETL_EMAIL" VARCHAR, "RETL_PHONE_E164" VARCHAR, "RETL_EXTERNAL_ID" VARCHAR, "RETL_KLAVIYO_PROFILE_ID" VARCHAR, "RETL_FIRST_SENT_AT" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;

CREATE TRANSIENT TABLE "REJECTED_VIP_E9D83A3C" ("RETL_CHECKSUM" VARCHAR, "RETL_LIST_ID" VARCHAR, "RETL_IDENTITY" VARCHAR, "RETL_EMAIL" VARCHAR, "RETL_PHONE_E164" VARCHAR, "RETL_EXTERNAL_ID" VARCHAR, "RETL_KLAVIYO_PROFILE_ID" VARCHAR, "RETL_FIRST_SENT_AT" VARCHAR, "FIRST_NAME" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;

CREATE TRANSIENT TABLE "REJECTIONS" ("ACCOUNT_ID" VARCHAR, "PROJECT" VARCHAR, "MODEL" VARCHAR, "LIST_ID" VARCHAR, "ROW_KEY" VARCHAR, "SOURCE" VARCHAR, "CODE" VARCHAR, "FIELD" VARCHAR, "DETAIL" VARCHAR, "FIRST_RUN_ID" VARCHAR, "ROW_COUNT" NUMBER(38,0)) DATA_RETENTION_TIME_IN_DAYS = 0;
INSERT INTO "REJECTIONS"
SELECT '7b2lBS', 'shop', 'clubs', 'tWZBIf', 'email:gus@@example.com', 'check', 'email_malformed', '', '', '20200101T050000-000001', 1
UNION ALL SELECT '7b2lBS', 'shop', 'everybody', '', 'email:gus@@example.com', 'check', 'email_malformed', '', '', '20200101T050000-000001', 1
UNION ALL SELECT '7b2lBS', 'shop', 'everybody', '', 'email:lea@example.com', 'klaviyo', 'unencodable', 'score', 'is not a finite number', '20200103T050000-000003', 1
UNION ALL SELECT '7b2lBS', 'shop', 'everybody', '', 'email:max@@example.com', 'check', 'email_malformed', '', '', '20200102T050000-000002', 1
UNION ALL SELECT '7b2lBS', 'shop', 'vip', 'WUECg4', 'email:gus@@example.com', 'check', 'email_malformed', '', '', '20200101T050000-000001', 1
UNION ALL SELECT '7b2lBS', 'shop', 'vip', 'WUECg4', 'email:max@@example.com', 'check', 'email_malformed', '', '', '20200102T050000-000002', 1;

CREATE TRANSIENT TABLE "REMOVAL_HOLDS" ("ACCOUNT_ID" VARCHAR, "PROJECT" VARCHAR, "LIST_ID" VARCHAR, "STATE" VARCHAR, "CAUSE" VARCHAR, "REASON" VARCHAR, "RECORDED_AT" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;

CREATE TRANSIENT TABLE "RESPONSES" ("ACCOUNT_ID" VARCHAR, "PROJECT" VARCHAR, "MODEL" VARCHAR, "RUN_ID" VARCHAR, "ROW_KEY" VARCHAR, "RESPONDED_AT" VARCHAR, "METHOD" VARCHAR, "PATH" VARCHAR, "STATUS" NUMBER(38,0), "BODY" VARCHAR, "BODY_IS_CUT" BOOLEAN) DATA_RETENTION_TIME_IN_DAYS = 0;

CREATE TRANSIENT TABLE "ROW_EXCEPTIONS" ("RUN_ID" VARCHAR, "MODEL" VARCHAR, "SEQ" NUMBER(38,0), "KIND" VARCHAR, "CODE" VARCHAR, "FIELD" VARCHAR, "DETAIL" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;

CREATE TRANSIENT TABLE "ROW_OUTCOMES" ("RUN_ID" VARCHAR, "MODEL" VARCHAR, "FIRST_SEQ" NUMBER(38,0), "LAST_SEQ" NUMBER(38,0), "OUTCOME" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;

CREATE TRANSIENT TABLE "RUNS" ("RUN_ID" VARCHAR, "ACCOUNT_ID" VARCHAR, "PROJECT" VARCHAR, "STATE" VARCHAR, "STARTED_AT" VARCHAR, "KLAVIYO_TIME" VARCHAR, "ENDED_AT" VARCHAR, "EXIT_CODE" NUMBER(38,0)) DATA_RETENTION_TIME_IN_DAYS = 0;
INSERT INTO "RUNS"
SELECT '20200101T050000-000001', '7b2lBS', 'shop', 'ended', '2020-01-01T06:00:00.000Z', '2020-01-01T06:00:00.000Z', '2020-01-01T06:00:00.000Z', 1
UNION ALL SELECT '20200102T050000-000002', '7b2lBS', 'shop', 'ended', '2020-01-02T06:00:00.000Z', '2020-01-02T06:00:00.000Z', '2020-01-02T06:00:00.000Z', 1
UNION ALL SELECT '20200103T050000-000003', '7b2lBS', 'shop', 'recovered', '2020-01-03T06:00:00.000Z', '2020-01-02T06:00:00.000Z', '2020-01-03T06:00:00.000Z', NULL
UNION ALL SELECT '20200104T050000-000004', '7b2lBS', 'shop', 'ended', '2020-01-04T06:00:00.000Z', '2020-01-02T06:00:00.000Z', '2020-01-04T06:00:00.000Z', 1
UNION ALL SELECT '20200105T050000-000005', '7b2lBS', 'shop', 'refused', '2020-01-05T06:00:00.000Z', '', '2020-01-05T06:00:00.000Z', 3
UNION ALL SELECT '20200106T050000-000006', '7b2lBS', 'shop', 'submitting', '2020-01-06T06:00:00.000Z', '2020-01-03T07:00:00.000Z', NULL, NULL;

CREATE TRANSIENT TABLE "RUN_LISTS" ("RUN_ID" VARCHAR, "MODEL" VARCHAR, "LIST_ID" VARCHAR, "LIST_NAME" VARCHAR, "COUNTS" VARCHAR, "STOP_CAUSE" VARCHAR, "REASON" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;
INSERT INTO "RUN_LISTS"
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

CREATE TRANSIENT TABLE "SNAPSHOT_CLUBS_DFA8BC0F" ("RETL_LIST_ID" VARCHAR, "RETL_IDENTITY" VARCHAR, "RETL_EMAIL" VARCHAR, "RETL_PHONE_E164" VARCHAR, "RETL_EXTERNAL_ID" VARCHAR, "RETL_KLAVIYO_PROFILE_ID" VARCHAR, "RETL_FIRST_SENT_AT" VARCHAR, "Orders" NUMBER(38,0)) DATA_RETENTION_TIME_IN_DAYS = 0;
INSERT INTO "SNAPSHOT_CLUBS_DFA8BC0F"
SELECT 'gUcbIR', 'email:bob@example.com', 'bob@example.com', NULL, '2', NULL, '2020-01-01T06:00:00.000Z', 0
UNION ALL SELECT 'gUcbIR', 'email:cleo@example.com', 'cleo@example.com', NULL, '3', NULL, '2020-01-01T06:00:00.000Z', 12
UNION ALL SELECT 'gUcbIR', 'email:ida@example.com', 'ida@example.com', NULL, '9', NULL, '2020-01-02T06:00:00.000Z', 1
UNION ALL SELECT 'gUcbIR', 'email:kim@example.com', 'kim@example.com', NULL, '11', NULL, '2020-01-01T06:00:00.000Z', 1
UNION ALL SELECT 'tWZBIf', 'email:ann@example.com', 'ann@example.com', NULL, '1', NULL, '2020-01-01T06:00:00.000Z', 4
UNION ALL SELECT 'tWZBIf', 'email:eve.new@example.com', 'eve.new@example.com', NULL, '5', NULL, '2020-01-01T06:00:00.000Z', 1
UNION ALL SELECT 'tWZBIf', 'email:fay@example.com', 'fay@example.com', NULL, '6', NULL, '2020-01-01T06:00:00.000Z', 1
UNION ALL SELECT 'tWZBIf', 'email:nia@example.com', 'nia@example.com', NULL, '14', NULL, '2020-01-02T06:00:00.000Z', NULL;

CREATE TRANSIENT TABLE "SNAPSHOT_EVERYBODY_DBC66E10" ("RETL_LIST_ID" VARCHAR, "RETL_IDENTITY" VARCHAR, "RETL_EMAIL" VARCHAR, "RETL_PHONE_E164" VARCHAR, "RETL_EXTERNAL_ID" VARCHAR, "RETL_KLAVIYO_PROFILE_ID" VARCHAR, "RETL_FIRST_SENT_AT" VARCHAR, "FIRST_NAME" VARCHAR, "LOCATION_CITY" VARCHAR, "ORDERS" NUMBER(38,0), "SPENT" NUMBER(12,2), "SCORE" FLOAT, "NEWSLETTER" BOOLEAN, "SINCE" DATE, "SEEN_AT" TIMESTAMP_NTZ) DATA_RETENTION_TIME_IN_DAYS = 0;
INSERT INTO "SNAPSHOT_EVERYBODY_DBC66E10"
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

CREATE TRANSIENT TABLE "SNAPSHOT_TESTERS_23625288" ("RETL_LIST_ID" VARCHAR, "RETL_IDENTITY" VARCHAR, "RETL_EMAIL" VARCHAR, "RETL_PHONE_E164" VARCHAR, "RETL_EXTERNAL_ID" VARCHAR, "RETL_KLAVIYO_PROFILE_ID" VARCHAR, "RETL_FIRST_SENT_AT" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;
INSERT INTO "SNAPSHOT_TESTERS_23625288"
SELECT 'QqSYtc', 'klaviyo_profile_id:0193TY6YDT85JGD7EPRSDJV405', NULL, NULL, NULL, '0193TY6YDT85JGD7EPRSDJV405', '2020-01-01T06:00:00.000Z'
UNION ALL SELECT 'QqSYtc', 'klaviyo_profile_id:01TE18JBJST4PXYWEZZBYMAK8S', NULL, NULL, NULL, '01TE18JBJST4PXYWEZZBYMAK8S', '2020-01-02T06:00:00.000Z';

CREATE TRANSIENT TABLE "SNAPSHOT_VIP_E9D83A3C" ("RETL_LIST_ID" VARCHAR, "RETL_IDENTITY" VARCHAR, "RETL_EMAIL" VARCHAR, "RETL_PHONE_E164" VARCHAR, "RETL_EXTERNAL_ID" VARCHAR, "RETL_KLAVIYO_PROFILE_ID" VARCHAR, "RETL_FIRST_SENT_AT" VARCHAR, "FIRST_NAME" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;
INSERT INTO "SNAPSHOT_VIP_E9D83A3C"
SELECT 'WUECg4', 'email:ann@example.com', 'ann@example.com', '+14155550101', '1', NULL, '2020-01-01T06:00:00.000Z', 'Ann'
UNION ALL SELECT 'WUECg4', 'email:eve.new@example.com', 'eve.new@example.com', '+14155550105', '5', NULL, '2020-01-01T06:00:00.000Z', 'Eve'
UNION ALL SELECT 'WUECg4', 'email:jo@example.com', 'jo@example.com', NULL, '10', NULL, '2020-01-02T06:00:00.000Z', 'Joanna'
UNION ALL SELECT 'WUECg4', 'email:max@example.com', 'max@example.com', NULL, '13', NULL, '2020-01-01T06:00:00.000Z', 'Max'
UNION ALL SELECT 'WUECg4', 'email:nia@example.com', 'nia@example.com', NULL, '14', NULL, '2020-01-02T06:00:00.000Z', 'Nia'
UNION ALL SELECT 'WUECg4', 'phone_e164:+442079460304', NULL, '+442079460304', '4', NULL, '2020-01-01T06:00:00.000Z', 'Dov';

CREATE TRANSIENT TABLE "TARGETS" ("PROJECT" VARCHAR, "DESTINATION_ID" VARCHAR, "ACCOUNT_ID" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;
INSERT INTO "TARGETS"
SELECT 'shop', 'prod/http://127.0.0.1:8765', '7b2lBS';

CREATE TRANSIENT TABLE "UNMATCHED_REMOVALS" ("ACCOUNT_ID" VARCHAR, "PROJECT" VARCHAR, "MODEL" VARCHAR, "LIST_ID" VARCHAR, "IDENTITY" VARCHAR, "RUN_ID" VARCHAR, "RECORDED_AT" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;
INSERT INTO "UNMATCHED_REMOVALS"
SELECT '7b2lBS', 'shop', 'vip', 'WUECg4', 'email:kim@example.com', '20200102T050000-000002', '2020-01-02T06:00:00.000Z';

CREATE TRANSIENT TABLE "WITHHELD" ("ACCOUNT_ID" VARCHAR, "PROJECT" VARCHAR, "MODEL" VARCHAR, "PERSON" VARCHAR, "DIGEST" VARCHAR, "PROFILE_ID" VARCHAR, "STATE" VARCHAR, "RECORDED_AT" VARCHAR) DATA_RETENTION_TIME_IN_DAYS = 0;
