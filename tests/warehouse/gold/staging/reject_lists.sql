-- reject_lists 1
UPDATE temp.staged_vip_0a1b2c3d SET
  retl_detail = CASE WHEN retl_problem IS NULL THEN retl_list ELSE retl_detail END,
  retl_problem = COALESCE(retl_problem, 'unknown_list'),
  retl_list = NULL
WHERE retl_list IN (?, ?);
-- with ('VIP', 'Tea')

-- reject_lists 2
UPDATE temp.staged_clubs_4e5f6a7b SET
  retl_detail = CASE WHEN retl_problem IS NULL THEN retl_list ELSE retl_detail END,
  retl_problem = COALESCE(retl_problem, 'unknown_list'),
  retl_list = NULL
WHERE retl_list IN (?, ?);
-- with ('VIP', 'Tea')
