-- select_meta 1
SELECT MAX(version), NULL, NULL FROM state.meta;

-- select_meta 2
SELECT MAX(version), MAX(migrating_to), MAX(backup) FROM state.meta;
