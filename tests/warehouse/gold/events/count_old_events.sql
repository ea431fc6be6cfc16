-- count_old_events 1
duckdb:    SELECT COUNT(*) FROM temp.staged_orders_2a3b4c5d WHERE "time" < CAST('2026-11-30 08:15:30.250000+00:00' AS TIMESTAMP WITH TIME ZONE);
snowflake: SELECT COUNT(*) FROM temp.staged_orders_2a3b4c5d WHERE "time" < CAST('2026-11-30 08:15:30.250000+00:00' AS TIMESTAMP_TZ(9));
