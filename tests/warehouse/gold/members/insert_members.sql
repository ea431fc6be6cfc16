-- insert_members 1
duckdb:    INSERT INTO temp.members_vip_0a1b2c3d SELECT r.retl_row[1], r.retl_row[2], r.retl_row[3], r.retl_row[4], r.retl_row[5], r.retl_row[6] FROM (SELECT UNNEST(FROM_JSON(?, '[["varchar"]]')) AS retl_row) AS r;
snowflake: INSERT INTO temp.members_vip_0a1b2c3d SELECT CAST(r.VALUE[0] AS VARCHAR), CAST(r.VALUE[1] AS VARCHAR), CAST(r.VALUE[2] AS VARCHAR), CAST(r.VALUE[3] AS VARCHAR), CAST(r.VALUE[4] AS VARCHAR), CAST(r.VALUE[5] AS VARCHAR) FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS r;
-- with ('[["a@example.com",null,null,"P1","2026-01-01T00:00:00.000Z","2026-01-01T00:01:00.000Z"]]',)
