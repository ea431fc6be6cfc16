-- migrate_columns 1
ALTER TABLE state.deltas_changed_3c4d5e6f ADD COLUMN retl_updated_at VARCHAR;

-- migrate_columns 2
ALTER TABLE state.rejected_changed_3c4d5e6f ADD COLUMN retl_updated_at VARCHAR;

-- migrate_columns 3
ALTER TABLE state.snapshot_changed_3c4d5e6f ADD COLUMN retl_updated_at VARCHAR;
