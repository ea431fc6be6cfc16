-- collect_kept_values 1
duckdb:    CREATE OR REPLACE TABLE temp.kept_tiers_2b3c4d5e AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.kept_tiers_2b3c4d5e DEFAULT_DDL_COLLATION = '' AS
WITH clears AS (
  SELECT p.retl_seq, p.retl_cleared, s.retl_list, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id
  FROM temp.planned_tiers_2b3c4d5e AS p JOIN temp.lists_tiers_2b3c4d5e AS l ON l.retl_list_id = p.retl_list_id
  JOIN temp.staged_tiers_2b3c4d5e AS s ON s.retl_list = l.retl_list AND s.retl_identity = p.retl_identity
  WHERE p.retl_cleared IS NOT NULL AND s.retl_problem IS NULL
)
SELECT DISTINCT retl_seq, retl_model, retl_kept FROM (
SELECT c.retl_seq, 'vip' AS retl_model, CONCAT('',
    CASE WHEN POSITION(',first_name,' IN c.retl_cleared) > 0 AND (o."first_name" IS NOT NULL) THEN ',first_name,' ELSE '' END) AS retl_kept
  FROM clears AS c JOIN temp.staged_tiers_2b3c4d5e AS o ON o.retl_email = c.retl_email AND (o.retl_identity <> c.retl_identity OR o.retl_list <> c.retl_list)
UNION ALL SELECT c.retl_seq, 'vip' AS retl_model, CONCAT('',
    CASE WHEN POSITION(',first_name,' IN c.retl_cleared) > 0 AND (o."first_name" IS NOT NULL) THEN ',first_name,' ELSE '' END) AS retl_kept
  FROM clears AS c JOIN temp.staged_tiers_2b3c4d5e AS o ON o.retl_phone_e164 = c.retl_phone_e164 AND (o.retl_identity <> c.retl_identity OR o.retl_list <> c.retl_list)
UNION ALL SELECT c.retl_seq, 'it''s' AS retl_model, CONCAT('',
    CASE WHEN POSITION(',first_name,' IN c.retl_cleared) > 0 AND (o."first_name" IS NOT NULL OR o."spent" IS NOT NULL) THEN ',first_name,' ELSE '' END,
    CASE WHEN POSITION(',spent,' IN c.retl_cleared) > 0 AND (o."first_name" IS NOT NULL OR o."spent" IS NOT NULL) THEN ',spent,' ELSE '' END) AS retl_kept
  FROM clears AS c JOIN state.snapshot_tiers_2b3c4d5e AS o ON o.retl_email = c.retl_email
) AS k WHERE retl_kept <> '';
