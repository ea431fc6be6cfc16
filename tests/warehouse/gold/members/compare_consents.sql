-- compare_consents 1
duckdb:    CREATE OR REPLACE TABLE temp.met_vip_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.met_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
WITH rows_sent AS (
SELECT retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id FROM state.snapshot_vip_0a1b2c3d WHERE retl_list_id = 'L1'
UNION SELECT retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id FROM state.deltas_vip_0a1b2c3d WHERE retl_list_id = 'L1'
)
SELECT r.retl_identity, m.retl_klaviyo_profile_id, m.retl_joined_at, m.retl_joined_late,
TRUE AS retl_sure,
    r.retl_identity = 'email:' || r.retl_email AS retl_by_identity
  FROM rows_sent AS r JOIN temp.members_vip_0a1b2c3d AS m ON r.retl_email = m.retl_email
UNION SELECT r.retl_identity, m.retl_klaviyo_profile_id, m.retl_joined_at, m.retl_joined_late,
r.retl_identity = 'phone_e164:' || r.retl_phone_e164 AS retl_sure,
    r.retl_identity = 'phone_e164:' || r.retl_phone_e164 AS retl_by_identity
  FROM rows_sent AS r JOIN temp.members_vip_0a1b2c3d AS m ON r.retl_phone_e164 = m.retl_phone_e164
UNION SELECT r.retl_identity, m.retl_klaviyo_profile_id, m.retl_joined_at, m.retl_joined_late,
TRUE AS retl_sure,
    r.retl_identity = 'external_id:' || r.retl_external_id AS retl_by_identity
  FROM rows_sent AS r JOIN temp.members_vip_0a1b2c3d AS m ON r.retl_external_id = m.retl_external_id
UNION SELECT r.retl_identity, m.retl_klaviyo_profile_id, m.retl_joined_at, m.retl_joined_late,
TRUE AS retl_sure,
    r.retl_identity = 'klaviyo_profile_id:' || r.retl_klaviyo_profile_id AS retl_by_identity
  FROM rows_sent AS r JOIN temp.members_vip_0a1b2c3d AS m ON r.retl_klaviyo_profile_id = m.retl_klaviyo_profile_id;
duckdb:    CREATE OR REPLACE TABLE temp.missing_vip_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.missing_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT s.retl_list_id, s.retl_identity FROM state.snapshot_vip_0a1b2c3d AS s WHERE s.retl_list_id = 'L1'
AND NOT EXISTS (SELECT 1 FROM temp.met_vip_0a1b2c3d AS t WHERE t.retl_sure AND t.retl_identity = s.retl_identity)
AND NOT EXISTS (
  SELECT 1 FROM (SELECT retl_list_id, retl_identity FROM state.deltas_vip_0a1b2c3d) AS d WHERE d.retl_list_id = s.retl_list_id AND d.retl_identity = s.retl_identity)
AND NOT EXISTS (
  SELECT 1 FROM state.consents AS c WHERE c.account_id = 'acc'
  AND c.project = 'shop' AND c.model = 'vip'
  AND c.list_id = s.retl_list_id AND c.identity = s.retl_identity AND c.state NOT IN ('confirmed', 'off_list'));
duckdb:    CREATE OR REPLACE TABLE temp.others_vip_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.others_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT CAST(CASE WHEN m.retl_email IS NOT NULL THEN 'email:' || m.retl_email WHEN m.retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || m.retl_phone_e164 ELSE 'klaviyo_profile_id:' || m.retl_klaviyo_profile_id END AS VARCHAR) AS retl_identity, m.* FROM temp.members_vip_0a1b2c3d AS m
WHERE NOT EXISTS (
  SELECT 1 FROM temp.met_vip_0a1b2c3d AS t WHERE t.retl_klaviyo_profile_id = m.retl_klaviyo_profile_id)
QUALIFY ROW_NUMBER() OVER (PARTITION BY CASE WHEN m.retl_email IS NOT NULL THEN 'email:' || m.retl_email WHEN m.retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || m.retl_phone_e164 ELSE 'klaviyo_profile_id:' || m.retl_klaviyo_profile_id END ORDER BY m.retl_joined_at, m.retl_klaviyo_profile_id) = 1;
