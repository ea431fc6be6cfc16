-- insert_deltas 1
INSERT INTO state.deltas_tiers_2b3c4d5e (retl_run_id, retl_seq, retl_op, retl_in_snapshot, retl_uncertain, retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, retl_cleared, "first_name", "spent", "Since", "tags")
SELECT ?, p.retl_seq, p.retl_op, p.retl_in_snapshot, p.retl_uncertain, p.retl_list_id, p.retl_identity,
  COALESCE(p.retl_email, d.retl_email),
  COALESCE(p.retl_phone_e164, d.retl_phone_e164),
  COALESCE(p.retl_external_id, d.retl_external_id),
  COALESCE(p.retl_klaviyo_profile_id, d.retl_klaviyo_profile_id),
  COALESCE(p.retl_first_sent_at, ?), p.retl_cleared, d."first_name", d."spent", d."Since", d."tags"
FROM temp.planned_tiers_2b3c4d5e AS p LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM temp.staged_tiers_2b3c4d5e AS s JOIN temp.lists_tiers_2b3c4d5e AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_identity = p.retl_identity
WHERE p.retl_op NOT IN ('held', 'deferred')
ORDER BY p.retl_seq;
-- with ('r1', '2026-01-01T00:00:00.000Z')
