-- lease 1
MERGE INTO state.lease AS l
USING (SELECT ? AS account_id, ? AS project, ? AS owner, ? AS expires_at, ? AS claimed_at) AS n
ON l.account_id = n.account_id AND l.project = n.project
WHEN MATCHED AND l.expires_at <= n.claimed_at THEN UPDATE SET owner = n.owner, expires_at = n.expires_at
WHEN NOT MATCHED THEN INSERT (account_id, project, owner, expires_at) VALUES (n.account_id, n.project, n.owner, n.expires_at);
-- with ('acc', 'shop', 'me', '2026-11-22T12:10:00.000Z', '2026-11-22T12:00:00.000Z')
SELECT owner, expires_at FROM state.lease WHERE account_id = ? AND project = ? ORDER BY owner;
-- with ('acc', 'shop')
UPDATE state.lease SET expires_at = ? WHERE account_id = ? AND project = ? AND owner = ?;
-- with ('2026-11-22T12:10:00.000Z', 'acc', 'shop', 'me')
SELECT owner, expires_at FROM state.lease WHERE account_id = ? AND project = ? ORDER BY owner;
-- with ('acc', 'shop')
DELETE FROM state.lease WHERE account_id = ? AND project = ? AND owner = ?;
-- with ('acc', 'shop', 'me')
MERGE INTO state.lease AS s USING (
  SELECT * FROM (VALUES (?, ?, ?, ?)) AS v (account_id, project, owner, expires_at)
) AS n ON s.account_id = n.account_id AND s.project = n.project
WHEN MATCHED THEN UPDATE SET owner = n.owner, expires_at = n.expires_at
WHEN NOT MATCHED THEN INSERT (account_id, project, owner, expires_at) VALUES (n.account_id, n.project, n.owner, n.expires_at);
-- with ('acc', 'shop', 'me', '2026-11-22T12:10:00.000Z')
UPDATE state.lease SET expires_at = ? WHERE account_id = ? AND project = ? AND owner = ?;
-- with ('2026-11-22T12:10:00.000Z', 'acc', 'shop', 'me')
DELETE FROM state.lease WHERE account_id = ? AND project = ? AND owner = ?;
-- with ('acc', 'shop', 'me')
