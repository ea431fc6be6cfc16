-- name_members 1
INSERT INTO state.deltas_vip_0a1b2c3d (retl_run_id, retl_seq, retl_op, retl_in_snapshot, retl_uncertain, retl_list_id, retl_identity, retl_klaviyo_profile_id, retl_email, retl_phone_e164, retl_external_id, retl_first_sent_at)
SELECT '', 0, 'update', FALSE, TRUE, n.retl_list_id, n.retl_new, n.retl_profile_id, d.retl_email, d.retl_phone_e164, d.retl_external_id, d.retl_first_sent_at
FROM state.deltas_vip_0a1b2c3d AS d JOIN (
  SELECT t.retl_list_id, t.retl_identity, c.retl_new, c.retl_profile_id
  FROM state.deltas_vip_0a1b2c3d AS t JOIN (VALUES (?, ?, ?), (?, ?, ?)) AS c (retl_identity, retl_profile_id, retl_new) ON c.retl_identity = t.retl_identity
  LEFT JOIN state.deltas_vip_0a1b2c3d AS o ON o.retl_list_id = t.retl_list_id AND o.retl_identity = c.retl_new
  WHERE o.retl_identity IS NULL
) AS n ON n.retl_list_id = d.retl_list_id AND n.retl_identity = d.retl_identity
LEFT JOIN state.snapshot_vip_0a1b2c3d AS s ON s.retl_list_id = d.retl_list_id AND s.retl_identity = d.retl_identity
WHERE s.retl_identity IS NULL AND d.retl_op <> 'remove' AND (d.retl_uncertain OR d.retl_run_id <> ?);
-- with ('email:ann@example.com', '01ANN', 'klaviyo_profile_id:01ANN', 'phone_e164:+14155550100', '01BOB', 'klaviyo_profile_id:01BOB', 'r1')
UPDATE state.deltas_vip_0a1b2c3d AS r SET retl_identity = n.retl_new, retl_klaviyo_profile_id = n.retl_profile_id
FROM (
  SELECT t.retl_list_id, t.retl_identity, c.retl_new, c.retl_profile_id
  FROM state.deltas_vip_0a1b2c3d AS t JOIN (VALUES (?, ?, ?), (?, ?, ?)) AS c (retl_identity, retl_profile_id, retl_new) ON c.retl_identity = t.retl_identity
  LEFT JOIN state.deltas_vip_0a1b2c3d AS o ON o.retl_list_id = t.retl_list_id AND o.retl_identity = c.retl_new
  WHERE o.retl_identity IS NULL
) AS n WHERE n.retl_list_id = r.retl_list_id AND n.retl_identity = r.retl_identity AND r.retl_op = 'remove';
-- with ('email:ann@example.com', '01ANN', 'klaviyo_profile_id:01ANN', 'phone_e164:+14155550100', '01BOB', 'klaviyo_profile_id:01BOB')
UPDATE state.snapshot_vip_0a1b2c3d AS r SET retl_identity = n.retl_new, retl_klaviyo_profile_id = n.retl_profile_id
FROM (
  SELECT t.retl_list_id, t.retl_identity, c.retl_new, c.retl_profile_id
  FROM state.snapshot_vip_0a1b2c3d AS t JOIN (VALUES (?, ?, ?), (?, ?, ?)) AS c (retl_identity, retl_profile_id, retl_new) ON c.retl_identity = t.retl_identity
  LEFT JOIN state.snapshot_vip_0a1b2c3d AS o ON o.retl_list_id = t.retl_list_id AND o.retl_identity = c.retl_new
  WHERE o.retl_identity IS NULL
) AS n WHERE n.retl_list_id = r.retl_list_id AND n.retl_identity = r.retl_identity;
-- with ('email:ann@example.com', '01ANN', 'klaviyo_profile_id:01ANN', 'phone_e164:+14155550100', '01BOB', 'klaviyo_profile_id:01BOB')
DELETE FROM state.snapshot_vip_0a1b2c3d AS r WHERE EXISTS (
  SELECT 1 FROM (VALUES (?, ?, ?), (?, ?, ?)) AS c (retl_identity, retl_profile_id, retl_new) WHERE c.retl_identity = r.retl_identity);
-- with ('email:ann@example.com', '01ANN', 'klaviyo_profile_id:01ANN', 'phone_e164:+14155550100', '01BOB', 'klaviyo_profile_id:01BOB')
