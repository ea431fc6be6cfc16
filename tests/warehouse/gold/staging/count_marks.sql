-- count_marks 1
SELECT COUNT(retl_problem), COUNT(retl_omitted),
COUNT(DISTINCT CASE WHEN retl_omitted IS NOT NULL THEN retl_identity END) FROM temp.marks_1_vip_0a1b2c3d;

-- count_marks 2
SELECT COUNT(retl_problem), COUNT(retl_omitted),
COUNT(DISTINCT CASE WHEN retl_omitted IS NOT NULL THEN retl_identity END) FROM temp.marks_1_clubs_4e5f6a7b;
