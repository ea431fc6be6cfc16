-- removal_holds 1
SELECT list_id, state, cause, reason, recorded_at
FROM state.removal_holds WHERE account_id = ? AND project = ? ORDER BY list_id;
-- with ('acc', 'shop')
INSERT INTO state.removal_holds VALUES (?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', '', 'held', <HoldCause.MISSING_RUN: 'missing_run'>, 'The state is old.', '2026-11-22T12:00:00.000Z', 'acc', 'shop', 'L1', 'held', <HoldCause.MISSING_RUN: 'missing_run'>, 'The state is old.', '2026-11-22T12:00:00.000Z')
SELECT list_id, state, cause, reason, recorded_at
FROM state.removal_holds WHERE account_id = ? AND project = ? ORDER BY list_id;
-- with ('acc', 'shop')
DELETE FROM state.removal_holds WHERE account_id = ? AND project = ?;
-- with ('acc', 'shop')
INSERT INTO state.removal_holds VALUES (?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', '', 'trusted', None, '', '2026-11-22T12:00:00.000Z')
