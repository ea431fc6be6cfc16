-- insert_members 1
INSERT INTO temp.members_vip_0a1b2c3d VALUES (?, ?, ?, ?, ?, ?);
-- with ('a@example.com', None, None, 'P1', '2026-01-01T00:00:00.000Z', '2026-01-01T00:01:00.000Z')
