-- select_adds 1
SELECT p.retl_seq, p.retl_list_id, s.retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END, s.retl_external_id, s.retl_klaviyo_profile_id
FROM temp.planned_vip_0a1b2c3d AS p JOIN temp.lists_vip_0a1b2c3d AS l ON l.retl_list_id = p.retl_list_id
JOIN (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, s.retl_problem IS NULL AND COALESCE(m.retl_omits_phone_e164, FALSE) AS retl_omits_phone_e164, COALESCE(s.retl_problem, r.retl_problem, m.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, m.retl_detail, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_vip_0a1b2c3d AS s
  LEFT JOIN temp.refused_vip_0a1b2c3d AS r ON s.retl_list = r.retl_list
  LEFT JOIN (
    SELECT retl_identity, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail, COUNT(CASE WHEN retl_omitted = 'phone_e164' THEN 1 END) > 0 AS retl_omits_phone_e164
    FROM (SELECT * FROM temp.marks_1_vip_0a1b2c3d UNION ALL SELECT * FROM temp.marks_2_vip_0a1b2c3d UNION ALL SELECT * FROM temp.marks_3_vip_0a1b2c3d) AS marked GROUP BY retl_identity
  ) AS m ON s.retl_identity = m.retl_identity
) AS s ON s.retl_list = l.retl_list AND s.retl_identity = p.retl_identity
WHERE p.retl_op = 'add' AND s.retl_problem IS NULL ORDER BY p.retl_seq LIMIT 100;

-- select_adds 2
SELECT p.retl_seq, p.retl_list_id, CASE WHEN s.retl_omits_email THEN NULL ELSE s.retl_email END, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id
FROM temp.planned_clubs_4e5f6a7b AS p JOIN temp.lists_clubs_4e5f6a7b AS l ON l.retl_list_id = p.retl_list_id
JOIN (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, s.retl_problem IS NULL AND COALESCE(m.retl_omits_email, FALSE) AS retl_omits_email, COALESCE(s.retl_problem, r.retl_problem, m.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, m.retl_detail, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_clubs_4e5f6a7b AS s
  LEFT JOIN temp.refused_clubs_4e5f6a7b AS r ON s.retl_list = r.retl_list
  LEFT JOIN (
    SELECT retl_list, retl_identity, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail, COUNT(CASE WHEN retl_omitted = 'email' THEN 1 END) > 0 AS retl_omits_email
    FROM (SELECT * FROM temp.marks_1_clubs_4e5f6a7b UNION ALL SELECT * FROM temp.marks_2_clubs_4e5f6a7b UNION ALL SELECT * FROM temp.marks_3_clubs_4e5f6a7b) AS marked GROUP BY retl_list, retl_identity
  ) AS m ON s.retl_identity = m.retl_identity AND s.retl_list = m.retl_list
) AS s ON s.retl_list = l.retl_list AND s.retl_identity = p.retl_identity
WHERE p.retl_op = 'add' AND s.retl_problem IS NULL ORDER BY p.retl_seq LIMIT 100;
