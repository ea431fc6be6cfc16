-- responses 1
INSERT INTO state.responses
SELECT ?, ?, ?, ?, d.retl_identity, ?, r.method, r.path, r.status, r.body, r.body_is_cut
FROM state.deltas_vip_0a1b2c3d AS d
JOIN (VALUES (?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?)) AS r (first_seq, last_seq, method, path, status, body, body_is_cut)
  ON d.retl_seq BETWEEN r.first_seq AND r.last_seq
WHERE d.retl_run_id = ?;
-- with ('acc', 'shop', 'vip', 'r1', '2026-11-22T12:00:00.000Z', 1, 2, 'POST', '/api/tags', 201, '{}', False, 4, 4, 'POST', '/api/tags', 201, '{}', False, 'r1')
DELETE FROM state.responses WHERE account_id = ? AND project = ? AND responded_at < ?;
-- with ('acc', 'shop', '2026-08-24T12:00:00.000Z')
SELECT DISTINCT row_key, body FROM state.responses WHERE account_id = ? AND project = ?;
-- with ('acc', 'shop')
DELETE FROM state.responses WHERE account_id = ? AND project = ? AND row_key IN (?);
-- with ('acc', 'shop', 'key:a@example.com')
SELECT run_id, responded_at, method, path, status, body, body_is_cut, REPLACE(REPLACE(SPLIT_PART(SUBSTR(row_key, 5), '|', 1), '%7C', '|'), '%25', '%') AS "coupon", REPLACE(REPLACE(SPLIT_PART(SUBSTR(row_key, 5), '|', 2), '%7C', '|'), '%25', '%') AS "code" FROM state.responses WHERE account_id = 'acc' AND project = 'shop' AND model = 'vip';
