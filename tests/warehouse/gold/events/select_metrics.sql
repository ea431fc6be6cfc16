-- select_metrics 1
SELECT DISTINCT "metric" FROM temp.staged_orders_2a3b4c5d WHERE retl_problem IS NULL AND "metric" IS NOT NULL ORDER BY "metric";
