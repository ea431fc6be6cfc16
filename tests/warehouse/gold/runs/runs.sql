-- runs 1
SELECT destination_id, account_id
FROM state.targets WHERE project = ? ORDER BY destination_id, account_id;
-- with ('shop',)
DELETE FROM state.targets WHERE project = ? AND destination_id = ?;
-- with ('shop', 'prod/klaviyo')
INSERT INTO state.targets VALUES (?, ?, ?);
-- with ('shop', 'prod/klaviyo', 'acc')
MERGE INTO state.runs AS s USING (
  SELECT * FROM (VALUES (?, ?, ?, ?, ?, ?)) AS v (run_id, account_id, project, state, started_at, klaviyo_time)
) AS n ON s.run_id = n.run_id
WHEN MATCHED THEN UPDATE SET account_id = n.account_id, project = n.project, state = n.state, started_at = n.started_at, klaviyo_time = n.klaviyo_time
WHEN NOT MATCHED THEN INSERT (run_id, account_id, project, state, started_at, klaviyo_time) VALUES (n.run_id, n.account_id, n.project, n.state, n.started_at, n.klaviyo_time);
-- with ('r1', 'acc', 'shop', 'submitting', '2026-11-22T12:00:00.000Z', 't')
INSERT INTO state.run_lists VALUES (?, ?, ?, ?, ?, ?, ?);
-- with ('r1', 'vip', 'L1', 'VIP', '{}', None, '')
UPDATE state.runs SET state = ?, ended_at = ?, exit_code = ? WHERE run_id = ?;
-- with ('ended', '2026-11-22T12:00:00.000Z', 0, 'r1')
UPDATE state.runs SET state = ?, ended_at = ? WHERE run_id = ?;
-- with ('recovered', '2026-11-22T12:00:00.000Z', 'r1')
SELECT destination_id, account_id
FROM state.targets WHERE project = ? ORDER BY destination_id, account_id;
-- with ('shop',)
INSERT INTO state.run_lists VALUES (?, ?, ?, ?, ?, ?, ?);
-- with ('r2', '', '', '', '{}', 'guard', 'Too many.')
DELETE FROM state.targets WHERE project = ? AND destination_id = ?;
-- with ('shop', 'prod/klaviyo')
INSERT INTO state.targets VALUES (?, ?, ?);
-- with ('shop', 'prod/klaviyo', 'acc')
MERGE INTO state.runs AS s USING (
  SELECT * FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?)) AS v (run_id, account_id, project, state, started_at, klaviyo_time, ended_at, exit_code)
) AS n ON s.run_id = n.run_id
WHEN MATCHED THEN UPDATE SET account_id = n.account_id, project = n.project, state = n.state, started_at = n.started_at, klaviyo_time = n.klaviyo_time, ended_at = n.ended_at, exit_code = n.exit_code
WHEN NOT MATCHED THEN INSERT (run_id, account_id, project, state, started_at, klaviyo_time, ended_at, exit_code) VALUES (n.run_id, n.account_id, n.project, n.state, n.started_at, n.klaviyo_time, n.ended_at, n.exit_code);
-- with ('r2', 'acc', 'shop', 'refused', '2026-11-22T12:00:00.000Z', '', '2026-11-22T12:00:00.000Z', 3)
SELECT reason FROM state.run_lists WHERE run_id = ? AND model = ? ORDER BY reason;
-- with ('r2', '')
SELECT run_id, state, klaviyo_time, started_at, ended_at, exit_code
FROM state.runs WHERE account_id = ? AND project = ? ORDER BY started_at, run_id;
-- with ('acc', 'shop')
SELECT r.klaviyo_time, r.started_at, r.ended_at FROM state.runs AS r
WHERE r.account_id = ? AND r.project = ? AND r.state = 'ended' AND EXISTS (SELECT 1 FROM state.receipts AS c
  WHERE c.run_id = r.run_id AND c.list_id = ? AND c.op = 'add' AND c.state IN ('applied', 'unknown'))
ORDER BY r.klaviyo_time, r.run_id;
-- with ('acc', 'shop', 'L1')
SELECT l.run_id, r.started_at, l.model, l.list_id, l.list_name, l.counts, l.stop_cause, l.reason
FROM state.run_lists AS l JOIN state.runs AS r ON l.run_id = r.run_id
WHERE r.account_id = ? AND r.project = ? AND r.state <> 'refused' AND l.model <> '' ORDER BY r.started_at DESC, r.run_id DESC, l.model, l.list_name, l.list_id;
-- with ('acc', 'shop')
SELECT DISTINCT r.started_at, c.model, c.list_id FROM state.receipts AS c JOIN state.runs AS r ON c.run_id = r.run_id
WHERE r.account_id = ? AND r.project = ? AND r.exit_code IS NULL AND r.state IN ('submitting', 'recovered') ORDER BY r.started_at, c.model, c.list_id;
-- with ('acc', 'shop')
