-- lease 1
MERGE INTO "reverse_etl_state".main."lease" AS l
USING (SELECT ? AS account_id, ? AS project, ? AS owner, ? AS expires_at, ? AS claimed_at) AS n
ON l.account_id = n.account_id AND l.project = n.project
WHEN MATCHED AND l.expires_at <= n.claimed_at THEN UPDATE SET owner = n.owner, expires_at = n.expires_at
WHEN NOT MATCHED THEN INSERT (account_id, project, owner, expires_at) VALUES (n.account_id, n.project, n.owner, n.expires_at);
-- with ('acc', 'shop', 'me', '2026-11-22T12:10:00.000Z', '2026-11-22T12:00:00.000Z')

-- lease 2
SELECT owner, expires_at FROM "reverse_etl_state".main."lease" WHERE account_id = ? AND project = ? ORDER BY owner;
-- with ('acc', 'shop')

-- lease 3
UPDATE "reverse_etl_state".main."lease" SET expires_at = ? WHERE account_id = ? AND project = ? AND owner = ?;
-- with ('2026-11-22T12:10:00.000Z', 'acc', 'shop', 'me')

-- lease 4
SELECT owner, expires_at FROM "reverse_etl_state".main."lease" WHERE account_id = ? AND project = ? ORDER BY owner;
-- with ('acc', 'shop')

-- lease 5
DELETE FROM "reverse_etl_state".main."lease" WHERE account_id = ? AND project = ? AND owner = ?;
-- with ('acc', 'shop', 'me')

-- lease 6
DELETE FROM "reverse_etl_state".main."lease" WHERE account_id = ? AND project = ?;
-- with ('acc', 'shop')

-- lease 7
INSERT INTO "reverse_etl_state".main."lease" VALUES (?, ?, ?, ?);
-- with ('acc', 'shop', 'me', '2026-11-22T12:10:00.000Z')

-- lease 8
UPDATE "reverse_etl_state".main."lease" SET expires_at = ? WHERE account_id = ? AND project = ? AND owner = ?;
-- with ('2026-11-22T12:10:00.000Z', 'acc', 'shop', 'me')

-- lease 9
DELETE FROM "reverse_etl_state".main."lease" WHERE account_id = ? AND project = ? AND owner = ?;
-- with ('acc', 'shop', 'me')
