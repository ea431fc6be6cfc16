-- select_sample 1
SELECT p.retl_list_id, p.retl_op, p.retl_identity, d.retl_email, d.retl_phone_e164, d.retl_external_id, d.retl_klaviyo_profile_id, d."first_name", d."spent", d."Since", d."tags",
  k.retl_email, k.retl_phone_e164, k.retl_external_id, k.retl_klaviyo_profile_id, k."first_name", k."spent", k."Since", k."tags", p.retl_cleared
FROM (
  SELECT * FROM temp.planned_tiers_2b3c4d5e WHERE retl_op <> 'deferred'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY retl_list_id, retl_op ORDER BY retl_seq) <= 3
) AS p
LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM temp.staged_tiers_2b3c4d5e AS s JOIN temp.lists_tiers_2b3c4d5e AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_identity = p.retl_identity
LEFT JOIN (
  SELECT COALESCE(s.retl_list_id, u.retl_list_id) AS retl_list_id, COALESCE(s.retl_identity, u.retl_identity) AS retl_identity,
    COALESCE(s.retl_email, u.retl_email) AS retl_email,
    COALESCE(s.retl_phone_e164, u.retl_phone_e164) AS retl_phone_e164,
    COALESCE(s.retl_external_id, u.retl_external_id) AS retl_external_id,
    COALESCE(s.retl_klaviyo_profile_id, u.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id,
    COALESCE(s.retl_first_sent_at, u.retl_first_sent_at) AS retl_first_sent_at,
    s."first_name",
    s."spent",
    s."Since",
    s."tags",
    s.retl_identity IS NOT NULL AS retl_in_snapshot,
    u.retl_identity IS NOT NULL AS retl_uncertain,
    COALESCE(u.retl_op = 'remove', FALSE) AS retl_removing,
    s.retl_cleared, u.retl_identity IS NOT NULL AS retl_unproved
  FROM (
    SELECT s.retl_list_id, s.retl_identity AS retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s.retl_cleared,
      s."first_name" AS "first_name",
      s."spent" AS "spent",
      s."Since" AS "Since",
      s."tags" AS "tags"
duckdb:        FROM state.snapshot_tiers_2b3c4d5e AS s WHERE s.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_tiers_2b3c4d5e)
snowflake:     FROM state.snapshot_tiers_2b3c4d5e AS s WHERE s.retl_list_id IN (SELECT retl_list_id FROM temp.lists_tiers_2b3c4d5e)
  ) AS s FULL OUTER JOIN (
    SELECT u.retl_list_id, u.retl_identity AS retl_identity, u.retl_email, u.retl_phone_e164, u.retl_external_id, u.retl_klaviyo_profile_id, u.retl_first_sent_at, u.retl_op
duckdb:        FROM state.deltas_tiers_2b3c4d5e AS u WHERE u.retl_list_id = (SELECT MAX(retl_list_id) FROM temp.lists_tiers_2b3c4d5e)
snowflake:     FROM state.deltas_tiers_2b3c4d5e AS u WHERE u.retl_list_id IN (SELECT retl_list_id FROM temp.lists_tiers_2b3c4d5e)
  ) AS u ON s.retl_list_id = u.retl_list_id AND s.retl_identity = u.retl_identity
) AS k ON k.retl_identity = p.retl_identity
ORDER BY p.retl_seq;
