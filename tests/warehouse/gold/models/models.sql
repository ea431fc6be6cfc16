-- models 1
SELECT model, table_key, surface, identifiers, checksum, live_since, pruned_before
FROM state.models WHERE account_id = ? AND project = ? ORDER BY model;
-- with ('acc', 'shop')
SELECT 0 AS retl_query, ROW_NUMBER() OVER (ORDER BY model) AS retl_position, CAST(model AS VARCHAR) AS retl_0, CAST(table_key AS VARCHAR) AS retl_1, CAST(surface AS VARCHAR) AS retl_2, CAST(identifiers AS VARCHAR) AS retl_3, CAST(checksum AS VARCHAR) AS retl_4, CAST(live_since AS VARCHAR) AS retl_5, CAST(pruned_before AS VARCHAR) AS retl_6, CAST(NULL AS VARCHAR) AS retl_7, CAST(NULL AS VARCHAR) AS retl_8, CAST(NULL AS VARCHAR) AS retl_9, CAST(NULL AS VARCHAR) AS retl_10
FROM state.models WHERE account_id = ? AND project = ?
UNION ALL
SELECT 1 AS retl_query, ROW_NUMBER() OVER (ORDER BY started_at, run_id) AS retl_position, CAST(run_id AS VARCHAR) AS retl_0, CAST(state AS VARCHAR) AS retl_1, CAST(klaviyo_time AS VARCHAR) AS retl_2, CAST(started_at AS VARCHAR) AS retl_3, CAST(ended_at AS VARCHAR) AS retl_4, CAST(CAST(exit_code AS BIGINT) AS VARCHAR) AS retl_5, CAST(NULL AS VARCHAR) AS retl_6, CAST(NULL AS VARCHAR) AS retl_7, CAST(NULL AS VARCHAR) AS retl_8, CAST(NULL AS VARCHAR) AS retl_9, CAST(NULL AS VARCHAR) AS retl_10
FROM state.runs WHERE account_id = ? AND project = ?
UNION ALL
SELECT 2 AS retl_query, ROW_NUMBER() OVER (ORDER BY r.started_at DESC, r.run_id DESC, l.model, l.list_name, l.list_id) AS retl_position, CAST(l.run_id AS VARCHAR) AS retl_0, CAST(r.started_at AS VARCHAR) AS retl_1, CAST(l.model AS VARCHAR) AS retl_2, CAST(l.list_id AS VARCHAR) AS retl_3, CAST(l.list_name AS VARCHAR) AS retl_4, CAST(l.counts AS VARCHAR) AS retl_5, CAST(l.stop_cause AS VARCHAR) AS retl_6, CAST(l.reason AS VARCHAR) AS retl_7, CAST(NULL AS VARCHAR) AS retl_8, CAST(NULL AS VARCHAR) AS retl_9, CAST(NULL AS VARCHAR) AS retl_10
FROM state.run_lists AS l JOIN state.runs AS r ON l.run_id = r.run_id
WHERE r.account_id = ? AND r.project = ? AND r.state <> 'refused' AND l.model <> ''
UNION ALL
SELECT 3 AS retl_query, ROW_NUMBER() OVER (ORDER BY destination_id, account_id) AS retl_position, CAST(destination_id AS VARCHAR) AS retl_0, CAST(account_id AS VARCHAR) AS retl_1, CAST(NULL AS VARCHAR) AS retl_2, CAST(NULL AS VARCHAR) AS retl_3, CAST(NULL AS VARCHAR) AS retl_4, CAST(NULL AS VARCHAR) AS retl_5, CAST(NULL AS VARCHAR) AS retl_6, CAST(NULL AS VARCHAR) AS retl_7, CAST(NULL AS VARCHAR) AS retl_8, CAST(NULL AS VARCHAR) AS retl_9, CAST(NULL AS VARCHAR) AS retl_10
FROM state.targets WHERE project = ?
UNION ALL
SELECT 4 AS retl_query, ROW_NUMBER() OVER (ORDER BY name, list_id, aspect) AS retl_position, CAST(list_id AS VARCHAR) AS retl_0, CAST(name AS VARCHAR) AS retl_1, CAST(model AS VARCHAR) AS retl_2, CAST(recorded_at AS VARCHAR) AS retl_3, CAST(aspect AS VARCHAR) AS retl_4, CAST(NULL AS VARCHAR) AS retl_5, CAST(NULL AS VARCHAR) AS retl_6, CAST(NULL AS VARCHAR) AS retl_7, CAST(NULL AS VARCHAR) AS retl_8, CAST(NULL AS VARCHAR) AS retl_9, CAST(NULL AS VARCHAR) AS retl_10
FROM state.lists WHERE account_id = ? AND project = ?
UNION ALL
SELECT 5 AS retl_query, ROW_NUMBER() OVER (ORDER BY c.run_id, c.model, c.first_seq) AS retl_position, CAST(c.run_id AS VARCHAR) AS retl_0, CAST(c.model AS VARCHAR) AS retl_1, CAST(c.list_id AS VARCHAR) AS retl_2, CAST(c.op AS VARCHAR) AS retl_3, CAST(CAST(c.first_seq AS BIGINT) AS VARCHAR) AS retl_4, CAST(CAST(c.last_seq AS BIGINT) AS VARCHAR) AS retl_5, CAST(CAST(c.row_count AS BIGINT) AS VARCHAR) AS retl_6, CAST(c.job_id AS VARCHAR) AS retl_7, CAST(c.detail AS VARCHAR) AS retl_8, CAST(c.may_have_duplicate AS VARCHAR) AS retl_9, CAST(r.klaviyo_time AS VARCHAR) AS retl_10
FROM state.receipts AS c JOIN state.runs AS r ON c.run_id = r.run_id
WHERE r.account_id = ? AND r.project = ? AND c.state = 'accepted'
UNION ALL
SELECT 6 AS retl_query, ROW_NUMBER() OVER (ORDER BY model, list_id, source, code, field) AS retl_position, CAST(model AS VARCHAR) AS retl_0, CAST(list_id AS VARCHAR) AS retl_1, CAST(source AS VARCHAR) AS retl_2, CAST(code AS VARCHAR) AS retl_3, CAST(field AS VARCHAR) AS retl_4, CAST(MODE(detail) AS VARCHAR) AS retl_5, CAST(CAST(SUM(row_count) AS BIGINT) AS VARCHAR) AS retl_6, CAST(MIN(CASE WHEN row_key NOT LIKE 'row:%' THEN row_key END) AS VARCHAR) AS retl_7, CAST(CAST(SUM(CASE WHEN first_run_id = ? THEN row_count ELSE 0 END) AS BIGINT) AS VARCHAR) AS retl_8, CAST(NULL AS VARCHAR) AS retl_9, CAST(NULL AS VARCHAR) AS retl_10
FROM state.rejections WHERE account_id = ? AND project = ?
GROUP BY model, list_id, source, code, field
UNION ALL
SELECT 7 AS retl_query, ROW_NUMBER() OVER (ORDER BY model, list_id, identifier, code) AS retl_position, CAST(model AS VARCHAR) AS retl_0, CAST(list_id AS VARCHAR) AS retl_1, CAST(identifier AS VARCHAR) AS retl_2, CAST(code AS VARCHAR) AS retl_3, CAST(CAST(COUNT(*) AS BIGINT) AS VARCHAR) AS retl_4, CAST(MIN(row_key) AS VARCHAR) AS retl_5, CAST(NULL AS VARCHAR) AS retl_6, CAST(NULL AS VARCHAR) AS retl_7, CAST(NULL AS VARCHAR) AS retl_8, CAST(NULL AS VARCHAR) AS retl_9, CAST(NULL AS VARCHAR) AS retl_10
FROM state.omissions
WHERE account_id = ? AND project = ?
GROUP BY model, list_id, identifier, code
UNION ALL
SELECT 8 AS retl_query, ROW_NUMBER() OVER (ORDER BY list_id) AS retl_position, CAST(list_id AS VARCHAR) AS retl_0, CAST(state AS VARCHAR) AS retl_1, CAST(cause AS VARCHAR) AS retl_2, CAST(reason AS VARCHAR) AS retl_3, CAST(recorded_at AS VARCHAR) AS retl_4, CAST(NULL AS VARCHAR) AS retl_5, CAST(NULL AS VARCHAR) AS retl_6, CAST(NULL AS VARCHAR) AS retl_7, CAST(NULL AS VARCHAR) AS retl_8, CAST(NULL AS VARCHAR) AS retl_9, CAST(NULL AS VARCHAR) AS retl_10
FROM state.removal_holds WHERE account_id = ? AND project = ?
UNION ALL
SELECT 9 AS retl_query, ROW_NUMBER() OVER (ORDER BY model) AS retl_position, CAST(model AS VARCHAR) AS retl_0, CAST(checksum AS VARCHAR) AS retl_1, CAST(compared_at AS VARCHAR) AS retl_2, CAST(NULL AS VARCHAR) AS retl_3, CAST(NULL AS VARCHAR) AS retl_4, CAST(NULL AS VARCHAR) AS retl_5, CAST(NULL AS VARCHAR) AS retl_6, CAST(NULL AS VARCHAR) AS retl_7, CAST(NULL AS VARCHAR) AS retl_8, CAST(NULL AS VARCHAR) AS retl_9, CAST(NULL AS VARCHAR) AS retl_10
FROM state.comparisons WHERE account_id = ? AND project = ?
ORDER BY retl_query, retl_position;
-- with ('acc', 'shop', 'acc', 'shop', 'acc', 'shop', 'shop', 'acc', 'shop', 'acc', 'shop', '', 'acc', 'shop', 'acc', 'shop', 'acc', 'shop', 'acc', 'shop')
SELECT DISTINCT project FROM state.models WHERE account_id = ? ORDER BY project;
-- with ('acc',)
SELECT account_id FROM state.targets WHERE project = ? AND destination_id = ?;
-- with ('shop', 'prod')
DELETE FROM state.models WHERE account_id = ? AND project = ? AND model IN (?);
-- with ('acc', 'shop', 'vip')
INSERT INTO state.models VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', 'vip', 'vip_0a1b2c3d', 'profiles', '[]', 'c0ffee', None, None)
