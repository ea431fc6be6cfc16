-- forget_rows 1
DELETE FROM state.snapshot_vip_0a1b2c3d AS r WHERE EXISTS (
  SELECT 1 FROM (VALUES (?, ?, ?), (?, ?, ?)) AS c (retl_identity, retl_profile_id, retl_new) WHERE c.retl_identity = r.retl_identity);
-- with ('email:ann@example.com', '01ANN', 'klaviyo_profile_id:01ANN', 'phone_e164:+14155550100', '01BOB', 'klaviyo_profile_id:01BOB')
