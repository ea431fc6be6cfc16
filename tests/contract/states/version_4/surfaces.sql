INSERT INTO models VALUES ('7b2lBS', 'shop', 'guests', 'guests_0a1b2c3d', 'profiles', '[["email", "email"]]', '0f3c', NULL, NULL);
CREATE TABLE without_profile_guests_0a1b2c3d (retl_looked_up_at VARCHAR, retl_list_id VARCHAR, retl_identity VARCHAR, retl_email VARCHAR, retl_phone_e164 VARCHAR, retl_external_id VARCHAR, retl_klaviyo_profile_id VARCHAR, retl_first_sent_at VARCHAR, "Is VIP?" BOOLEAN);
INSERT INTO without_profile_guests_0a1b2c3d VALUES ('2020-01-02T06:00:00.000Z', '', 'email:gil@shop.example', 'gil@shop.example', NULL, NULL, NULL, NULL, TRUE);
INSERT INTO run_lists VALUES ('20200102T050000-000002', 'guests', '', '', '{"rows": 2, "snapshot_rows": 0, "adds": 0, "updates": 0, "removes": 0, "unchanged": 1, "deferred": 0, "held_at_plan": 0, "rejected_by_check": 0, "clears": 0, "without_profile": 1, "withheld": 0, "applied": 0, "unverified": 0, "no_profile": 0, "opted_out": 0, "pending": 0, "rejected_by_klaviyo": 0, "accepted": 0, "unknown": 0, "not_sent": 0, "removed": 0, "replaced": 0, "unmanaged": 0, "not_found": 0, "left_in_place": 0, "held_at_lookup": 0}', '');
INSERT INTO own_suppressions VALUES ('7b2lBS', 'shop', 'blocked', 'email:hal@shop.example', '2020-01-02T05:00:00.000Z', '2020-01-02T05:00:01.000Z');
INSERT INTO removal_holds VALUES ('7b2lBS', 'shop', 'WUECg4', 'held', 'the state may be older than what was sent', '2020-01-02T06:00:00.000Z');
INSERT INTO removal_holds VALUES ('7b2lBS', 'shop', '', 'trusted', '', '2020-01-01T06:00:00.000Z');
INSERT INTO consents VALUES ('7b2lBS', 'shop', 'subscribers', 'WUECg4', 'email:ida@shop.example', '20200102T050000-000002', 'pending', '2020-01-02T05:00:00.000Z', '');
INSERT INTO withheld VALUES ('7b2lBS', 'shop', 'leavers', 'a1', 'a1', 'P1', 'requested', '2020-01-02T06:00:00.000Z');
