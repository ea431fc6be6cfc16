-- apply_to_snapshot 1
duckdb:    DELETE FROM state.snapshot_vip_0a1b2c3d AS retl_s WHERE EXISTS (
duckdb:      SELECT 1 FROM temp.applied_vip_0a1b2c3d AS t WHERE t.retl_list_id = retl_s.retl_list_id AND t.retl_identity = retl_s.retl_identity);
duckdb:    INSERT INTO state.snapshot_vip_0a1b2c3d (retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags") SELECT retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags" FROM (
snowflake: MERGE INTO state.snapshot_vip_0a1b2c3d AS s USING (
SELECT d.retl_op, d.retl_list_id, d.retl_identity, COALESCE(d.retl_email, s.retl_email) AS retl_email, COALESCE(d.retl_phone_e164, s.retl_phone_e164) AS retl_phone_e164, COALESCE(d.retl_external_id, s.retl_external_id) AS retl_external_id, COALESCE(d.retl_klaviyo_profile_id, s.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id,
    COALESCE(d.retl_first_sent_at, s.retl_first_sent_at) AS retl_first_sent_at,
    COALESCE(d."first_name", CASE WHEN NOT d.retl_uncertain THEN s."first_name" END) AS "first_name",
    d."spent",
    d."Since",
    d."tags"
  FROM state.deltas_vip_0a1b2c3d AS d JOIN temp.applied_vip_0a1b2c3d AS t ON t.retl_seq = d.retl_seq
  LEFT JOIN temp.replaced_vip_0a1b2c3d AS s ON s.retl_list_id = d.retl_list_id AND s.retl_identity = d.retl_identity
  WHERE d.retl_run_id = ?
duckdb:    ) AS t WHERE retl_op <> 'remove';
snowflake: ) AS t ON t.retl_list_id = s.retl_list_id AND t.retl_identity = s.retl_identity
snowflake: WHEN MATCHED AND t.retl_op = 'remove' THEN DELETE
snowflake: WHEN MATCHED THEN UPDATE SET retl_email = t.retl_email, retl_phone_e164 = t.retl_phone_e164, retl_external_id = t.retl_external_id, retl_klaviyo_profile_id = t.retl_klaviyo_profile_id, retl_first_sent_at = t.retl_first_sent_at, "first_name" = t."first_name", "spent" = t."spent", "Since" = t."Since", "tags" = t."tags"
snowflake: WHEN NOT MATCHED AND t.retl_op <> 'remove' THEN INSERT (retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags") VALUES (t.retl_list_id, t.retl_identity, t.retl_email, t.retl_phone_e164, t.retl_external_id, t.retl_klaviyo_profile_id, t.retl_first_sent_at, t."first_name", t."spent", t."Since", t."tags");
-- with ('r1',)
DELETE FROM state.deltas_vip_0a1b2c3d WHERE retl_run_id = ?
AND retl_seq IN (SELECT retl_seq FROM temp.applied_vip_0a1b2c3d WHERE TRUE);
-- with ('r1',)

-- apply_to_snapshot 2
duckdb:    DELETE FROM state.snapshot_vip_0a1b2c3d AS retl_s WHERE EXISTS (
duckdb:      SELECT 1 FROM temp.applied_vip_0a1b2c3d AS t WHERE t.retl_list_id = retl_s.retl_list_id AND t.retl_identity = retl_s.retl_identity);
duckdb:    INSERT INTO state.snapshot_vip_0a1b2c3d (retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags") SELECT retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags" FROM (
snowflake: MERGE INTO state.snapshot_vip_0a1b2c3d AS s USING (
SELECT d.retl_op, d.retl_list_id, d.retl_identity, COALESCE(d.retl_email, s.retl_email) AS retl_email, COALESCE(d.retl_phone_e164, s.retl_phone_e164) AS retl_phone_e164, COALESCE(d.retl_external_id, s.retl_external_id) AS retl_external_id, COALESCE(d.retl_klaviyo_profile_id, s.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id,
    COALESCE(d.retl_first_sent_at, s.retl_first_sent_at) AS retl_first_sent_at,
    COALESCE(d."first_name", CASE WHEN NOT d.retl_uncertain THEN s."first_name" END) AS "first_name",
    COALESCE(d."spent", CASE WHEN NOT d.retl_uncertain THEN s."spent" END) AS "spent",
    COALESCE(d."Since", CASE WHEN NOT d.retl_uncertain THEN s."Since" END) AS "Since",
    COALESCE(d."tags", CASE WHEN NOT d.retl_uncertain THEN s."tags" END) AS "tags"
  FROM state.deltas_vip_0a1b2c3d AS d JOIN temp.applied_vip_0a1b2c3d AS t ON t.retl_seq = d.retl_seq
  LEFT JOIN temp.replaced_vip_0a1b2c3d AS s ON s.retl_list_id = d.retl_list_id AND s.retl_identity = d.retl_identity
  WHERE d.retl_run_id = ?
duckdb:    ) AS t WHERE retl_op <> 'remove';
snowflake: ) AS t ON t.retl_list_id = s.retl_list_id AND t.retl_identity = s.retl_identity
snowflake: WHEN MATCHED AND t.retl_op = 'remove' THEN DELETE
snowflake: WHEN MATCHED THEN UPDATE SET retl_email = t.retl_email, retl_phone_e164 = t.retl_phone_e164, retl_external_id = t.retl_external_id, retl_klaviyo_profile_id = t.retl_klaviyo_profile_id, retl_first_sent_at = t.retl_first_sent_at, "first_name" = t."first_name", "spent" = t."spent", "Since" = t."Since", "tags" = t."tags"
snowflake: WHEN NOT MATCHED AND t.retl_op <> 'remove' THEN INSERT (retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags") VALUES (t.retl_list_id, t.retl_identity, t.retl_email, t.retl_phone_e164, t.retl_external_id, t.retl_klaviyo_profile_id, t.retl_first_sent_at, t."first_name", t."spent", t."Since", t."tags");
-- with ('r1',)
DELETE FROM state.deltas_vip_0a1b2c3d WHERE retl_run_id = ?
AND retl_seq IN (SELECT retl_seq FROM temp.applied_vip_0a1b2c3d WHERE TRUE);
-- with ('r1',)

-- apply_to_snapshot 3
duckdb:    INSERT INTO state.snapshot_vip_0a1b2c3d (retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags") SELECT retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags" FROM (
duckdb:    SELECT d.retl_op, d.retl_list_id, d.retl_identity, COALESCE(d.retl_email, s.retl_email) AS retl_email, COALESCE(d.retl_phone_e164, s.retl_phone_e164) AS retl_phone_e164, COALESCE(d.retl_external_id, s.retl_external_id) AS retl_external_id, COALESCE(d.retl_klaviyo_profile_id, s.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id,
duckdb:        COALESCE(d.retl_first_sent_at, s.retl_first_sent_at) AS retl_first_sent_at,
duckdb:        COALESCE(d."first_name", CASE WHEN NOT d.retl_uncertain THEN s."first_name" END) AS "first_name",
duckdb:        COALESCE(d."spent", CASE WHEN NOT d.retl_uncertain THEN s."spent" END) AS "spent",
duckdb:        COALESCE(d."Since", CASE WHEN NOT d.retl_uncertain THEN s."Since" END) AS "Since",
duckdb:        COALESCE(d."tags", CASE WHEN NOT d.retl_uncertain THEN s."tags" END) AS "tags"
duckdb:      FROM state.deltas_vip_0a1b2c3d AS d JOIN temp.applied_vip_0a1b2c3d AS t ON t.retl_seq = d.retl_seq
duckdb:      LEFT JOIN temp.replaced_vip_0a1b2c3d AS s ON s.retl_list_id = d.retl_list_id AND s.retl_identity = d.retl_identity
duckdb:      WHERE d.retl_run_id = ? AND d.retl_seq >= 1 AND d.retl_seq < 10
duckdb:    ) AS t WHERE retl_op <> 'remove';
duckdb:    -- with ('r1',)
duckdb:    INSERT INTO state.snapshot_vip_0a1b2c3d (retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags") SELECT retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags" FROM (
snowflake: MERGE INTO state.snapshot_vip_0a1b2c3d AS s USING (
SELECT d.retl_op, d.retl_list_id, d.retl_identity, COALESCE(d.retl_email, s.retl_email) AS retl_email, COALESCE(d.retl_phone_e164, s.retl_phone_e164) AS retl_phone_e164, COALESCE(d.retl_external_id, s.retl_external_id) AS retl_external_id, COALESCE(d.retl_klaviyo_profile_id, s.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id,
    COALESCE(d.retl_first_sent_at, s.retl_first_sent_at) AS retl_first_sent_at,
    COALESCE(d."first_name", CASE WHEN NOT d.retl_uncertain THEN s."first_name" END) AS "first_name",
    COALESCE(d."spent", CASE WHEN NOT d.retl_uncertain THEN s."spent" END) AS "spent",
    COALESCE(d."Since", CASE WHEN NOT d.retl_uncertain THEN s."Since" END) AS "Since",
    COALESCE(d."tags", CASE WHEN NOT d.retl_uncertain THEN s."tags" END) AS "tags"
  FROM state.deltas_vip_0a1b2c3d AS d JOIN temp.applied_vip_0a1b2c3d AS t ON t.retl_seq = d.retl_seq
  LEFT JOIN temp.replaced_vip_0a1b2c3d AS s ON s.retl_list_id = d.retl_list_id AND s.retl_identity = d.retl_identity
  WHERE d.retl_run_id = ? AND d.retl_seq >= 10 AND d.retl_seq < 19
duckdb:    ) AS t WHERE retl_op <> 'remove';
snowflake: ) AS t ON t.retl_list_id = s.retl_list_id AND t.retl_identity = s.retl_identity
snowflake: WHEN MATCHED AND t.retl_op = 'remove' THEN DELETE
snowflake: WHEN MATCHED THEN UPDATE SET retl_email = t.retl_email, retl_phone_e164 = t.retl_phone_e164, retl_external_id = t.retl_external_id, retl_klaviyo_profile_id = t.retl_klaviyo_profile_id, retl_first_sent_at = t.retl_first_sent_at, "first_name" = t."first_name", "spent" = t."spent", "Since" = t."Since", "tags" = t."tags"
snowflake: WHEN NOT MATCHED AND t.retl_op <> 'remove' THEN INSERT (retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags") VALUES (t.retl_list_id, t.retl_identity, t.retl_email, t.retl_phone_e164, t.retl_external_id, t.retl_klaviyo_profile_id, t.retl_first_sent_at, t."first_name", t."spent", t."Since", t."tags");
-- with ('r1',)
snowflake: DELETE FROM state.deltas_vip_0a1b2c3d WHERE retl_run_id = ? AND retl_seq >= 1 AND retl_seq < 10
snowflake: AND retl_seq IN (SELECT retl_seq FROM temp.applied_vip_0a1b2c3d WHERE TRUE AND retl_seq >= 1 AND retl_seq < 10);
snowflake: -- with ('r1',)
