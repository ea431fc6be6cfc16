-- prune_events 1
duckdb:    DELETE FROM state.snapshot_orders_2a3b4c5d WHERE "time" < CAST('2026-11-30 08:15:30.250000+00:00' AS TIMESTAMP WITH TIME ZONE) AND "time" < (SELECT MAX("time") FROM state.snapshot_orders_2a3b4c5d);
snowflake: DELETE FROM state.snapshot_orders_2a3b4c5d WHERE "time" < CAST('2026-11-30 08:15:30.250000+00:00' AS TIMESTAMP_TZ(9)) AND "time" < (SELECT MAX("time") FROM state.snapshot_orders_2a3b4c5d);
