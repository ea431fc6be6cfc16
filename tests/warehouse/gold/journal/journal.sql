-- journal 1
DELETE FROM state.row_outcomes WHERE run_id IN (SELECT run_id FROM state.runs WHERE account_id = ? AND project = ? AND state NOT IN (?, ?));
-- with ('acc', 'shop', 'submitting', 'unsettled')
INSERT INTO state.row_outcomes VALUES (?, ?, ?, ?, ?);
-- with ('r1', 'vip', 1, 3, 'replaced')
INSERT INTO state.journal
WITH settled AS (SELECT run_id, identity, CASE state WHEN ? THEN 'applied' ELSE 'opted_out' END AS outcome FROM state.consents WHERE account_id = ? AND project = ? AND model = ? AND list_id = ? AND state IN (?, ?)),
duckdb:    found AS (SELECT * FROM settled UNION ALL SELECT run_id, sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || identity), outcome FROM settled)
snowflake: found AS (SELECT * FROM settled UNION ALL SELECT run_id, SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || identity, 256), outcome FROM settled)
SELECT j.account_id, j.project, j.model, j.list_id, j.run_id, -j.seq, j.identity, j.email, j.phone_e164, j.external_id, j.klaviyo_profile_id, j.op, f.outcome, j.code, ?, j.pii, j.changes
FROM state.journal AS j JOIN found AS f ON f.run_id = j.run_id AND f.identity = j.identity
WHERE j.account_id = ? AND j.project = ? AND j.model = ? AND j.list_id = ? AND j.outcome = 'pending'
AND NOT EXISTS (SELECT 1 FROM state.journal AS k WHERE k.run_id = j.run_id AND k.model = j.model AND k.seq = -j.seq);
-- with ('confirmed', 'acc', 'shop', 'vip', 'L1', 'confirmed', 'opted_out', '2026-11-22T12:00:00.000Z', 'acc', 'shop', 'vip', 'L1')
SELECT j.run_id, j.model, j.list_id, j.op, j.outcome, j.code, j.recorded_at, j.pii, j.changes, MAX(c.job_id), j.identity, j.external_id, j.klaviyo_profile_id FROM (
  SELECT * FROM state.journal
  WHERE account_id = ? AND project = ? AND model IN (?) AND (email IN (?, ?) OR external_id IN (?, ?)) AND (external_id IS NULL OR external_id IN (?, ?))
  ORDER BY recorded_at DESC, run_id DESC, model, list_id, seq LIMIT 20
) AS j LEFT JOIN state.receipts AS c ON c.run_id = j.run_id AND c.model = j.model AND ABS(j.seq) BETWEEN c.first_seq AND c.last_seq
GROUP BY j.run_id, j.model, j.list_id, j.op, j.outcome, j.code, j.recorded_at, j.pii, j.changes, j.identity, j.external_id, j.klaviyo_profile_id, j.seq
ORDER BY j.recorded_at DESC, j.run_id DESC, j.model, j.list_id, j.seq;
-- with ('acc', 'shop', 'vip', 'a@example.com', 'daa460ae3bda82b8bdd054b9d369d07f00f5e172978c194c2fdcaea1ca53d0ed', '60', 'a170fb771a448e6f59e8c113d15d320f141ce78088c254114c5350c2e83a7c20', '60', 'a170fb771a448e6f59e8c113d15d320f141ce78088c254114c5350c2e83a7c20')
