-- select_staged_rows 1
SELECT 'email' AS retl_kind, s.retl_email AS retl_value, s.retl_identity, l.retl_list_id,
  (s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL OR (d.retl_seq IS NOT NULL AND r.first_seq IS NULL)) AS retl_rejected
FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, s.retl_problem IS NULL AND COALESCE(m.retl_omits_phone_e164, FALSE) AS retl_omits_phone_e164, COALESCE(s.retl_problem, r.retl_problem, m.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, m.retl_detail, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_vip_0a1b2c3d AS s
  LEFT JOIN temp.refused_vip_0a1b2c3d AS r ON s.retl_list = r.retl_list
  LEFT JOIN (
    SELECT retl_identity, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail, COUNT(CASE WHEN retl_omitted = 'phone_e164' THEN 1 END) > 0 AS retl_omits_phone_e164
    FROM (SELECT * FROM temp.marks_1_vip_0a1b2c3d UNION ALL SELECT * FROM temp.marks_2_vip_0a1b2c3d UNION ALL SELECT * FROM temp.marks_3_vip_0a1b2c3d) AS marked GROUP BY retl_identity
  ) AS m ON s.retl_identity = m.retl_identity
) AS s
LEFT JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
LEFT JOIN (
  SELECT DISTINCT d.retl_identity FROM state.deltas_vip_0a1b2c3d AS d
  WHERE d.retl_run_id = ? AND d.retl_seq IN (SELECT f.seq FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected')
) AS x ON s.retl_identity = x.retl_identity
LEFT JOIN state.deltas_vip_0a1b2c3d AS d ON d.retl_run_id = ? AND d.retl_list_id = ?
  AND d.retl_op <> 'remove' AND d.retl_identity = s.retl_identity AND d.retl_list_id = l.retl_list_id
LEFT JOIN state.receipts AS r ON r.run_id = d.retl_run_id AND r.model = ? AND r.state = 'applied'
  AND d.retl_seq BETWEEN r.first_seq AND r.last_seq
WHERE s.retl_email IN (?)
AND ((s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL OR (d.retl_seq IS NOT NULL AND r.first_seq IS NULL)) OR s.retl_email IS NOT NULL);
-- with ('r1', 'r1', 'vip', 'r1', 'L1', 'vip', 'a@example.com')

-- select_staged_rows 2
SELECT 'phone_e164' AS retl_kind, s.retl_phone_e164 AS retl_value, s.retl_identity, l.retl_list_id,
  (s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL OR (d.retl_seq IS NOT NULL AND r.first_seq IS NULL)) AS retl_rejected
FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, s.retl_problem IS NULL AND COALESCE(m.retl_omits_phone_e164, FALSE) AS retl_omits_phone_e164, COALESCE(s.retl_problem, r.retl_problem, m.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, m.retl_detail, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_vip_0a1b2c3d AS s
  LEFT JOIN temp.refused_vip_0a1b2c3d AS r ON s.retl_list = r.retl_list
  LEFT JOIN (
    SELECT retl_identity, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail, COUNT(CASE WHEN retl_omitted = 'phone_e164' THEN 1 END) > 0 AS retl_omits_phone_e164
    FROM (SELECT * FROM temp.marks_1_vip_0a1b2c3d UNION ALL SELECT * FROM temp.marks_2_vip_0a1b2c3d UNION ALL SELECT * FROM temp.marks_3_vip_0a1b2c3d) AS marked GROUP BY retl_identity
  ) AS m ON s.retl_identity = m.retl_identity
) AS s
LEFT JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
LEFT JOIN (
  SELECT DISTINCT d.retl_identity FROM state.deltas_vip_0a1b2c3d AS d
  WHERE d.retl_run_id = ? AND d.retl_seq IN (SELECT f.seq FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected')
) AS x ON s.retl_identity = x.retl_identity
LEFT JOIN state.deltas_vip_0a1b2c3d AS d ON d.retl_run_id = ? AND d.retl_list_id = ?
  AND d.retl_op <> 'remove' AND d.retl_identity = s.retl_identity AND d.retl_list_id = l.retl_list_id
LEFT JOIN state.receipts AS r ON r.run_id = d.retl_run_id AND r.model = ? AND r.state = 'applied'
  AND d.retl_seq BETWEEN r.first_seq AND r.last_seq
WHERE s.retl_phone_e164 IN (?)
AND ((s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL OR (d.retl_seq IS NOT NULL AND r.first_seq IS NULL)) OR CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END IS NOT NULL);
-- with ('r1', 'r1', 'vip', 'r1', 'L1', 'vip', 'a@example.com')

-- select_staged_rows 3
SELECT 'external_id' AS retl_kind, s.retl_external_id AS retl_value, s.retl_identity, l.retl_list_id,
  (s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL OR (d.retl_seq IS NOT NULL AND r.first_seq IS NULL)) AS retl_rejected
FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, s.retl_problem IS NULL AND COALESCE(m.retl_omits_email, FALSE) AS retl_omits_email, COALESCE(s.retl_problem, r.retl_problem, m.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, m.retl_detail, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_clubs_4e5f6a7b AS s
  LEFT JOIN temp.refused_clubs_4e5f6a7b AS r ON s.retl_list = r.retl_list
  LEFT JOIN (
    SELECT retl_list, retl_identity, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail, COUNT(CASE WHEN retl_omitted = 'email' THEN 1 END) > 0 AS retl_omits_email
    FROM (SELECT * FROM temp.marks_1_clubs_4e5f6a7b UNION ALL SELECT * FROM temp.marks_2_clubs_4e5f6a7b UNION ALL SELECT * FROM temp.marks_3_clubs_4e5f6a7b) AS marked GROUP BY retl_list, retl_identity
  ) AS m ON s.retl_identity = m.retl_identity AND s.retl_list = m.retl_list
) AS s
LEFT JOIN temp.lists_clubs_4e5f6a7b AS l ON s.retl_list = l.retl_list
LEFT JOIN (
  SELECT DISTINCT d.retl_identity FROM state.deltas_clubs_4e5f6a7b AS d
  WHERE d.retl_run_id = ? AND d.retl_seq IN (SELECT f.seq FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected')
) AS x ON s.retl_identity = x.retl_identity
LEFT JOIN state.deltas_clubs_4e5f6a7b AS d ON d.retl_run_id = ? AND d.retl_list_id = ?
  AND d.retl_op <> 'remove' AND d.retl_identity = s.retl_identity AND d.retl_list_id = l.retl_list_id
LEFT JOIN state.receipts AS r ON r.run_id = d.retl_run_id AND r.model = ? AND r.state = 'applied'
  AND d.retl_seq BETWEEN r.first_seq AND r.last_seq
WHERE s.retl_external_id IN (?)
AND ((s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL OR (d.retl_seq IS NOT NULL AND r.first_seq IS NULL)) OR s.retl_external_id IS NOT NULL);
-- with ('r1', 'r1', 'vip', 'r1', 'L1', 'vip', 'a@example.com')

-- select_staged_rows 4
SELECT 'email' AS retl_kind, s.retl_email AS retl_value, s.retl_identity, l.retl_list_id,
  (s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL OR (d.retl_seq IS NOT NULL AND r.first_seq IS NULL)) AS retl_rejected
FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, s.retl_problem IS NULL AND COALESCE(m.retl_omits_email, FALSE) AS retl_omits_email, COALESCE(s.retl_problem, r.retl_problem, m.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, m.retl_detail, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_clubs_4e5f6a7b AS s
  LEFT JOIN temp.refused_clubs_4e5f6a7b AS r ON s.retl_list = r.retl_list
  LEFT JOIN (
    SELECT retl_list, retl_identity, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail, COUNT(CASE WHEN retl_omitted = 'email' THEN 1 END) > 0 AS retl_omits_email
    FROM (SELECT * FROM temp.marks_1_clubs_4e5f6a7b UNION ALL SELECT * FROM temp.marks_2_clubs_4e5f6a7b UNION ALL SELECT * FROM temp.marks_3_clubs_4e5f6a7b) AS marked GROUP BY retl_list, retl_identity
  ) AS m ON s.retl_identity = m.retl_identity AND s.retl_list = m.retl_list
) AS s
LEFT JOIN temp.lists_clubs_4e5f6a7b AS l ON s.retl_list = l.retl_list
LEFT JOIN (
  SELECT DISTINCT d.retl_identity FROM state.deltas_clubs_4e5f6a7b AS d
  WHERE d.retl_run_id = ? AND d.retl_seq IN (SELECT f.seq FROM state.row_exceptions AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected')
) AS x ON s.retl_identity = x.retl_identity
LEFT JOIN state.deltas_clubs_4e5f6a7b AS d ON d.retl_run_id = ? AND d.retl_list_id = ?
  AND d.retl_op <> 'remove' AND d.retl_identity = s.retl_identity AND d.retl_list_id = l.retl_list_id
LEFT JOIN state.receipts AS r ON r.run_id = d.retl_run_id AND r.model = ? AND r.state = 'applied'
  AND d.retl_seq BETWEEN r.first_seq AND r.last_seq
WHERE s.retl_email IN (?)
AND ((s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL OR (d.retl_seq IS NOT NULL AND r.first_seq IS NULL)) OR CASE WHEN s.retl_omits_email THEN NULL ELSE s.retl_email END IS NOT NULL);
-- with ('r1', 'r1', 'vip', 'r1', 'L1', 'vip', 'a@example.com')
