-- select_several_members_sample 1
SELECT DISTINCT t.retl_identity, t.retl_klaviyo_profile_id FROM temp.met_vip_0a1b2c3d AS t
WHERE t.retl_sure AND t.retl_joined_at IS NOT NULL AND (t.retl_by_identity OR t.retl_klaviyo_profile_id NOT IN (
  SELECT i.retl_klaviyo_profile_id FROM temp.met_vip_0a1b2c3d AS i WHERE i.retl_by_identity)) AND t.retl_identity IN (
  SELECT s.retl_identity FROM (
SELECT t.retl_identity FROM temp.met_vip_0a1b2c3d AS t
WHERE t.retl_sure AND t.retl_joined_at IS NOT NULL AND (t.retl_by_identity OR t.retl_klaviyo_profile_id NOT IN (
  SELECT i.retl_klaviyo_profile_id FROM temp.met_vip_0a1b2c3d AS i WHERE i.retl_by_identity)) GROUP BY t.retl_identity HAVING COUNT(DISTINCT t.retl_klaviyo_profile_id) > 1
  ) AS s ORDER BY s.retl_identity LIMIT 3)
ORDER BY 1, 2;
