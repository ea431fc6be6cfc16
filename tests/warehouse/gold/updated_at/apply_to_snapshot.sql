-- apply_to_snapshot 1
duckdb:    DELETE FROM state.snapshot_changed_3c4d5e6f AS retl_s WHERE EXISTS (
duckdb:      SELECT 1 FROM temp.applied_changed_3c4d5e6f AS t WHERE t.retl_list_id = retl_s.retl_list_id AND t.retl_identity = retl_s.retl_identity);
duckdb:    INSERT INTO state.snapshot_changed_3c4d5e6f (retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, retl_updated_at, "first_name", "spent", "Since", "tags") SELECT retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, retl_updated_at, "first_name", "spent", "Since", "tags" FROM (
snowflake: MERGE INTO state.snapshot_changed_3c4d5e6f AS s USING (
SELECT d.retl_op, d.retl_list_id, d.retl_identity, COALESCE(d.retl_email, s.retl_email) AS retl_email, COALESCE(d.retl_phone_e164, s.retl_phone_e164) AS retl_phone_e164, COALESCE(d.retl_external_id, s.retl_external_id) AS retl_external_id, COALESCE(d.retl_klaviyo_profile_id, s.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id,
    COALESCE(d.retl_first_sent_at, s.retl_first_sent_at) AS retl_first_sent_at,
    d.retl_updated_at,
    COALESCE(d."first_name", CASE WHEN NOT d.retl_uncertain THEN s."first_name" END) AS "first_name",
    COALESCE(d."spent", CASE WHEN NOT d.retl_uncertain THEN s."spent" END) AS "spent",
    COALESCE(d."Since", CASE WHEN NOT d.retl_uncertain THEN s."Since" END) AS "Since",
    COALESCE(d."tags", CASE WHEN NOT d.retl_uncertain THEN s."tags" END) AS "tags"
  FROM state.deltas_changed_3c4d5e6f AS d JOIN temp.applied_changed_3c4d5e6f AS t ON t.retl_seq = d.retl_seq
  LEFT JOIN temp.replaced_changed_3c4d5e6f AS s ON s.retl_list_id = d.retl_list_id AND s.retl_identity = d.retl_identity
  WHERE d.retl_run_id = ?
duckdb:    ) AS t WHERE retl_op <> 'remove';
snowflake: ) AS t ON t.retl_list_id = s.retl_list_id AND t.retl_identity = s.retl_identity
snowflake: WHEN MATCHED AND t.retl_op = 'remove' THEN DELETE
snowflake: WHEN MATCHED THEN UPDATE SET retl_email = t.retl_email, retl_phone_e164 = t.retl_phone_e164, retl_external_id = t.retl_external_id, retl_klaviyo_profile_id = t.retl_klaviyo_profile_id, retl_first_sent_at = t.retl_first_sent_at, retl_updated_at = t.retl_updated_at, "first_name" = t."first_name", "spent" = t."spent", "Since" = t."Since", "tags" = t."tags"
snowflake: WHEN NOT MATCHED AND t.retl_op <> 'remove' THEN INSERT (retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, retl_updated_at, "first_name", "spent", "Since", "tags") VALUES (t.retl_list_id, t.retl_identity, t.retl_email, t.retl_phone_e164, t.retl_external_id, t.retl_klaviyo_profile_id, t.retl_first_sent_at, t.retl_updated_at, t."first_name", t."spent", t."Since", t."tags");
-- with ('r1',)
DELETE FROM state.deltas_changed_3c4d5e6f WHERE retl_run_id = ?
AND retl_seq IN (SELECT retl_seq FROM temp.applied_changed_3c4d5e6f WHERE TRUE);
-- with ('r1',)
