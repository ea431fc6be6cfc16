-- migrate_columns 1
ALTER TABLE state.deltas_tiers_2b3c4d5e ADD COLUMN retl_cleared VARCHAR;

-- migrate_columns 2
ALTER TABLE state.rejected_tiers_2b3c4d5e ADD COLUMN retl_cleared VARCHAR;

-- migrate_columns 3
ALTER TABLE state.snapshot_tiers_2b3c4d5e ADD COLUMN retl_cleared VARCHAR;
