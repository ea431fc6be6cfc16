-- select_table_keys 1
SELECT table_key FROM state.models ORDER BY table_key;
