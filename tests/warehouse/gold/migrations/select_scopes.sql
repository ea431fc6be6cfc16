-- select_scopes 1
SELECT account_id, project FROM state.models UNION SELECT account_id, project FROM state.runs UNION SELECT account_id, project FROM state.lists UNION SELECT account_id, project FROM state.targets UNION SELECT account_id, project FROM state.lease ORDER BY 1, 2;
