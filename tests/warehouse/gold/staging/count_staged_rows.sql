-- count_staged_rows 1
SELECT retl_list, retl_problem, COUNT(*) FROM temp.staged_vip_0a1b2c3d GROUP BY retl_list, retl_problem ORDER BY retl_list, retl_problem;

-- count_staged_rows 2
SELECT retl_list, retl_problem, COUNT(*) FROM temp.staged_clubs_4e5f6a7b GROUP BY retl_list, retl_problem ORDER BY retl_list, retl_problem;
