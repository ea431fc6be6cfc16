-- migrate_columns_of_new_table 1
ALTER TABLE state.rejected_vip_0a1b2c3d ADD COLUMN "first_name" VARCHAR;
duckdb:    ALTER TABLE state.rejected_vip_0a1b2c3d ADD COLUMN "spent" DECIMAL(10,2);
duckdb:    ALTER TABLE state.rejected_vip_0a1b2c3d ADD COLUMN "Since" TIMESTAMP;
duckdb:    ALTER TABLE state.rejected_vip_0a1b2c3d ADD COLUMN "tags" JSON;
snowflake: ALTER TABLE state.rejected_vip_0a1b2c3d ADD COLUMN "spent" NUMBER(10,2);
snowflake: ALTER TABLE state.rejected_vip_0a1b2c3d ADD COLUMN "Since" TIMESTAMP_NTZ(9);
snowflake: ALTER TABLE state.rejected_vip_0a1b2c3d ADD COLUMN "tags" VARIANT;
