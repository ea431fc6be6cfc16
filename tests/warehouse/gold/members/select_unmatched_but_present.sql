-- select_unmatched_but_present 1
WITH unmatched AS (
  SELECT identity FROM state.unmatched_removals
  WHERE account_id = ? AND project = ? AND model = ? AND list_id = ?
)
SELECT g.identity FROM unmatched AS g JOIN temp.others_vip_0a1b2c3d AS o ON g.identity = 'email:' || o.retl_email
UNION SELECT g.identity FROM unmatched AS g JOIN temp.others_vip_0a1b2c3d AS o ON g.identity = 'phone_e164:' || o.retl_phone_e164
UNION SELECT g.identity FROM unmatched AS g JOIN temp.others_vip_0a1b2c3d AS o ON g.identity = 'external_id:' || o.retl_external_id
UNION SELECT g.identity FROM unmatched AS g JOIN temp.others_vip_0a1b2c3d AS o ON g.identity = 'klaviyo_profile_id:' || o.retl_klaviyo_profile_id
ORDER BY 1;
-- with ('acc', 'shop', 'vip', 'L1')
