-- insert_journal 1
INSERT INTO state.journal
SELECT ?, ?, ?, d.retl_list_id, ?, d.retl_seq, d.retl_identity,
  d.retl_email, d.retl_phone_e164, d.retl_external_id, d.retl_klaviyo_profile_id, d.retl_op,
  CASE WHEN f.kind = 'rejected' AND f.code = 'opted_out' THEN 'opted_out' WHEN f.kind = 'rejected' THEN 'rejected_by_klaviyo'
    WHEN f.kind = 'held' THEN 'held_at_lookup' WHEN f.kind IS NOT NULL THEN f.kind
    WHEN o.outcome IS NOT NULL THEN o.outcome
    WHEN c.state = 'opted_out' THEN 'opted_out' WHEN c.state IN ('pending', 'expired') THEN 'pending'
    WHEN d.retl_op = 'remove' THEN 'removed' ELSE 'applied' END,
  f.code, ?, ?,
  CASE WHEN s.retl_identity IS NULL OR d.retl_op = 'remove' THEN '[]' ELSE CONCAT('[', SUBSTR(CONCAT('',
duckdb:        CASE WHEN d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM s.retl_phone_e164 THEN CONCAT(',{"column":"phone_e164","before":', COALESCE(CAST(to_json(s.retl_phone_e164) AS VARCHAR), 'null'), ',"after":', COALESCE(CAST(to_json(d.retl_phone_e164) AS VARCHAR), 'null'), '}') ELSE '' END,
duckdb:        CASE WHEN d."first_name" IS NOT NULL AND d."first_name" IS DISTINCT FROM s."first_name" THEN CONCAT(',{"column":"first_name","before":', COALESCE(CAST(to_json(CAST(s."first_name" AS VARCHAR)) AS VARCHAR), 'null'), ',"after":', COALESCE(CAST(to_json(CAST(d."first_name" AS VARCHAR)) AS VARCHAR), 'null'), '}') ELSE '' END,
duckdb:        CASE WHEN d."spent" IS NOT NULL AND d."spent" IS DISTINCT FROM s."spent" THEN CONCAT(',{"column":"spent","before":', COALESCE(CAST(to_json(CAST(s."spent" AS VARCHAR)) AS VARCHAR), 'null'), ',"after":', COALESCE(CAST(to_json(CAST(d."spent" AS VARCHAR)) AS VARCHAR), 'null'), '}') ELSE '' END,
duckdb:        CASE WHEN d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM s."Since" THEN CONCAT(',{"column":"since","before":', COALESCE(CAST(to_json(CAST(s."Since" AS VARCHAR)) AS VARCHAR), 'null'), ',"after":', COALESCE(CAST(to_json(CAST(d."Since" AS VARCHAR)) AS VARCHAR), 'null'), '}') ELSE '' END,
duckdb:        CASE WHEN d."tags" IS NOT NULL AND d."tags" IS DISTINCT FROM s."tags" THEN CONCAT(',{"column":"tags","before":', COALESCE(CAST(to_json(CAST(s."tags" AS VARCHAR)) AS VARCHAR), 'null'), ',"after":', COALESCE(CAST(to_json(CAST(d."tags" AS VARCHAR)) AS VARCHAR), 'null'), '}') ELSE '' END), 2), ']') END
snowflake:     CASE WHEN d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM s.retl_phone_e164 THEN CONCAT(',{"column":"phone_e164","before":', COALESCE(TO_JSON(TO_VARIANT(s.retl_phone_e164)), 'null'), ',"after":', COALESCE(TO_JSON(TO_VARIANT(d.retl_phone_e164)), 'null'), '}') ELSE '' END,
snowflake:     CASE WHEN d."first_name" IS NOT NULL AND d."first_name" IS DISTINCT FROM s."first_name" THEN CONCAT(',{"column":"first_name","before":', COALESCE(TO_JSON(TO_VARIANT(CAST(s."first_name" AS VARCHAR))), 'null'), ',"after":', COALESCE(TO_JSON(TO_VARIANT(CAST(d."first_name" AS VARCHAR))), 'null'), '}') ELSE '' END,
snowflake:     CASE WHEN d."spent" IS NOT NULL AND d."spent" IS DISTINCT FROM s."spent" THEN CONCAT(',{"column":"spent","before":', COALESCE(TO_JSON(TO_VARIANT(CAST(s."spent" AS VARCHAR))), 'null'), ',"after":', COALESCE(TO_JSON(TO_VARIANT(CAST(d."spent" AS VARCHAR))), 'null'), '}') ELSE '' END,
snowflake:     CASE WHEN d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM s."Since" THEN CONCAT(',{"column":"since","before":', COALESCE(TO_JSON(TO_VARIANT(CAST(s."Since" AS VARCHAR))), 'null'), ',"after":', COALESCE(TO_JSON(TO_VARIANT(CAST(d."Since" AS VARCHAR))), 'null'), '}') ELSE '' END,
snowflake:     CASE WHEN d."tags" IS NOT NULL AND TO_JSON(d."tags") IS DISTINCT FROM TO_JSON(s."tags") THEN CONCAT(',{"column":"tags","before":', COALESCE(TO_JSON(TO_VARIANT(CAST(TO_JSON(s."tags") AS VARCHAR))), 'null'), ',"after":', COALESCE(TO_JSON(TO_VARIANT(CAST(TO_JSON(d."tags") AS VARCHAR))), 'null'), '}') ELSE '' END), 2), ']') END
FROM state.deltas_vip_0a1b2c3d AS d
LEFT JOIN temp.applied_vip_0a1b2c3d AS t ON t.retl_seq = d.retl_seq
LEFT JOIN temp.replaced_vip_0a1b2c3d AS s ON s.retl_list_id = d.retl_list_id AND s.retl_identity = d.retl_identity
LEFT JOIN (
  SELECT ABS(seq) AS seq, kind, code FROM state.row_exceptions
  WHERE run_id = ? AND model = ? AND kind IN ('rejected', 'held', 'no_profile')
  QUALIFY ROW_NUMBER() OVER (PARTITION BY ABS(seq) ORDER BY seq DESC, kind) = 1
) AS f ON f.seq = d.retl_seq
LEFT JOIN (
  SELECT n.retl_seq AS seq, MIN(r.outcome) AS outcome FROM state.row_outcomes AS r
  JOIN state.deltas_vip_0a1b2c3d AS n ON n.retl_run_id = r.run_id AND n.retl_seq BETWEEN r.first_seq AND r.last_seq
  WHERE r.run_id = ? AND r.model = ? GROUP BY n.retl_seq
) AS o ON o.seq = d.retl_seq
LEFT JOIN (
  SELECT list_id, identity, MAX(state) AS state FROM state.consents
  WHERE account_id = ? AND project = ? AND model = ? AND run_id = ?
  GROUP BY list_id, identity
) AS c ON c.list_id = d.retl_list_id AND c.identity = d.retl_identity AND d.retl_op <> 'remove'
WHERE d.retl_run_id = ? AND (t.retl_seq IS NOT NULL OR f.seq IS NOT NULL)
AND NOT EXISTS (
  SELECT 1 FROM state.journal AS j WHERE j.run_id = ? AND j.model = ? AND j.seq = d.retl_seq);
-- with ('acc', 'shop', 'vip', 'r1', '2026-01-01T00:00:00.000Z', 'values', 'r1', 'vip', 'r1', 'vip', 'acc', 'shop', 'vip', 'r1', 'r1', 'r1', 'vip')

-- insert_journal 2
INSERT INTO state.journal
duckdb:    SELECT ?, ?, ?, d.retl_list_id, ?, d.retl_seq, sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || d.retl_identity),
duckdb:      sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:email:' || d.retl_email), sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:phone_e164:' || d.retl_phone_e164), sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:external_id:' || d.retl_external_id), sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:klaviyo_profile_id:' || d.retl_klaviyo_profile_id), d.retl_op,
snowflake: SELECT ?, ?, ?, d.retl_list_id, ?, d.retl_seq, SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || d.retl_identity, 256),
snowflake:   SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:email:' || d.retl_email, 256), SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:phone_e164:' || d.retl_phone_e164, 256), SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:external_id:' || d.retl_external_id, 256), SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:klaviyo_profile_id:' || d.retl_klaviyo_profile_id, 256), d.retl_op,
  CASE WHEN f.kind = 'rejected' AND f.code = 'opted_out' THEN 'opted_out' WHEN f.kind = 'rejected' THEN 'rejected_by_klaviyo'
    WHEN f.kind = 'held' THEN 'held_at_lookup' WHEN f.kind IS NOT NULL THEN f.kind
    WHEN o.outcome IS NOT NULL THEN o.outcome
    WHEN c.state = 'opted_out' THEN 'opted_out' WHEN c.state IN ('pending', 'expired') THEN 'pending'
    WHEN d.retl_op = 'remove' THEN 'removed' ELSE 'applied' END,
  f.code, ?, ?,
  CASE WHEN s.retl_identity IS NULL OR d.retl_op = 'remove' THEN '[]' ELSE CONCAT('[', SUBSTR(CONCAT('',
duckdb:        CASE WHEN d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM s.retl_phone_e164 THEN CONCAT(',{"column":"phone_e164","before":', COALESCE(CAST(to_json(sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || s.retl_phone_e164)) AS VARCHAR), 'null'), ',"after":', COALESCE(CAST(to_json(sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || d.retl_phone_e164)) AS VARCHAR), 'null'), '}') ELSE '' END,
duckdb:        CASE WHEN d."first_name" IS NOT NULL AND d."first_name" IS DISTINCT FROM s."first_name" THEN CONCAT(',{"column":"first_name","before":', COALESCE(CAST(to_json(sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || CAST(s."first_name" AS VARCHAR))) AS VARCHAR), 'null'), ',"after":', COALESCE(CAST(to_json(sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || CAST(d."first_name" AS VARCHAR))) AS VARCHAR), 'null'), '}') ELSE '' END,
duckdb:        CASE WHEN d."spent" IS NOT NULL AND d."spent" IS DISTINCT FROM s."spent" THEN CONCAT(',{"column":"spent","before":', COALESCE(CAST(to_json(sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || CAST(s."spent" AS VARCHAR))) AS VARCHAR), 'null'), ',"after":', COALESCE(CAST(to_json(sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || CAST(d."spent" AS VARCHAR))) AS VARCHAR), 'null'), '}') ELSE '' END,
duckdb:        CASE WHEN d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM s."Since" THEN CONCAT(',{"column":"since","before":', COALESCE(CAST(to_json(sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || CAST(s."Since" AS VARCHAR))) AS VARCHAR), 'null'), ',"after":', COALESCE(CAST(to_json(sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || CAST(d."Since" AS VARCHAR))) AS VARCHAR), 'null'), '}') ELSE '' END,
duckdb:        CASE WHEN d."tags" IS NOT NULL AND d."tags" IS DISTINCT FROM s."tags" THEN CONCAT(',{"column":"tags","before":', COALESCE(CAST(to_json(sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || CAST(s."tags" AS VARCHAR))) AS VARCHAR), 'null'), ',"after":', COALESCE(CAST(to_json(sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || CAST(d."tags" AS VARCHAR))) AS VARCHAR), 'null'), '}') ELSE '' END), 2), ']') END
snowflake:     CASE WHEN d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM s.retl_phone_e164 THEN CONCAT(',{"column":"phone_e164","before":', COALESCE(TO_JSON(TO_VARIANT(SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || s.retl_phone_e164, 256))), 'null'), ',"after":', COALESCE(TO_JSON(TO_VARIANT(SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || d.retl_phone_e164, 256))), 'null'), '}') ELSE '' END,
snowflake:     CASE WHEN d."first_name" IS NOT NULL AND d."first_name" IS DISTINCT FROM s."first_name" THEN CONCAT(',{"column":"first_name","before":', COALESCE(TO_JSON(TO_VARIANT(SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || CAST(s."first_name" AS VARCHAR), 256))), 'null'), ',"after":', COALESCE(TO_JSON(TO_VARIANT(SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || CAST(d."first_name" AS VARCHAR), 256))), 'null'), '}') ELSE '' END,
snowflake:     CASE WHEN d."spent" IS NOT NULL AND d."spent" IS DISTINCT FROM s."spent" THEN CONCAT(',{"column":"spent","before":', COALESCE(TO_JSON(TO_VARIANT(SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || CAST(s."spent" AS VARCHAR), 256))), 'null'), ',"after":', COALESCE(TO_JSON(TO_VARIANT(SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || CAST(d."spent" AS VARCHAR), 256))), 'null'), '}') ELSE '' END,
snowflake:     CASE WHEN d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM s."Since" THEN CONCAT(',{"column":"since","before":', COALESCE(TO_JSON(TO_VARIANT(SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || CAST(s."Since" AS VARCHAR), 256))), 'null'), ',"after":', COALESCE(TO_JSON(TO_VARIANT(SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || CAST(d."Since" AS VARCHAR), 256))), 'null'), '}') ELSE '' END,
snowflake:     CASE WHEN d."tags" IS NOT NULL AND TO_JSON(d."tags") IS DISTINCT FROM TO_JSON(s."tags") THEN CONCAT(',{"column":"tags","before":', COALESCE(TO_JSON(TO_VARIANT(SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || CAST(TO_JSON(s."tags") AS VARCHAR), 256))), 'null'), ',"after":', COALESCE(TO_JSON(TO_VARIANT(SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || CAST(TO_JSON(d."tags") AS VARCHAR), 256))), 'null'), '}') ELSE '' END), 2), ']') END
FROM state.deltas_vip_0a1b2c3d AS d
LEFT JOIN temp.applied_vip_0a1b2c3d AS t ON t.retl_seq = d.retl_seq
LEFT JOIN temp.replaced_vip_0a1b2c3d AS s ON s.retl_list_id = d.retl_list_id AND s.retl_identity = d.retl_identity
LEFT JOIN (
  SELECT ABS(seq) AS seq, kind, code FROM state.row_exceptions
  WHERE run_id = ? AND model = ? AND kind IN ('rejected', 'held', 'no_profile')
  QUALIFY ROW_NUMBER() OVER (PARTITION BY ABS(seq) ORDER BY seq DESC, kind) = 1
) AS f ON f.seq = d.retl_seq
LEFT JOIN (
  SELECT n.retl_seq AS seq, MIN(r.outcome) AS outcome FROM state.row_outcomes AS r
  JOIN state.deltas_vip_0a1b2c3d AS n ON n.retl_run_id = r.run_id AND n.retl_seq BETWEEN r.first_seq AND r.last_seq
  WHERE r.run_id = ? AND r.model = ? GROUP BY n.retl_seq
) AS o ON o.seq = d.retl_seq
LEFT JOIN (
  SELECT list_id, identity, MAX(state) AS state FROM state.consents
  WHERE account_id = ? AND project = ? AND model = ? AND run_id = ?
  GROUP BY list_id, identity
) AS c ON c.list_id = d.retl_list_id AND c.identity = d.retl_identity AND d.retl_op <> 'remove'
WHERE d.retl_run_id = ? AND (t.retl_seq IS NOT NULL OR f.seq IS NOT NULL)
AND NOT EXISTS (
  SELECT 1 FROM state.journal AS j WHERE j.run_id = ? AND j.model = ? AND j.seq = d.retl_seq);
-- with ('acc', 'shop', 'vip', 'r1', '2026-01-01T00:00:00.000Z', 'hashed', 'r1', 'vip', 'r1', 'vip', 'acc', 'shop', 'vip', 'r1', 'r1', 'r1', 'vip')

-- insert_journal 3
INSERT INTO state.journal
duckdb:    SELECT ?, ?, ?, d.retl_list_id, ?, d.retl_seq, sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || d.retl_identity),
duckdb:      sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:email:' || d.retl_email), sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:phone_e164:' || d.retl_phone_e164), sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:external_id:' || d.retl_external_id), sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:klaviyo_profile_id:' || d.retl_klaviyo_profile_id), d.retl_op,
snowflake: SELECT ?, ?, ?, d.retl_list_id, ?, d.retl_seq, SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || d.retl_identity, 256),
snowflake:   SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:email:' || d.retl_email, 256), SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:phone_e164:' || d.retl_phone_e164, 256), SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:external_id:' || d.retl_external_id, 256), SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:klaviyo_profile_id:' || d.retl_klaviyo_profile_id, 256), d.retl_op,
  CASE WHEN f.kind = 'rejected' AND f.code = 'opted_out' THEN 'opted_out' WHEN f.kind = 'rejected' THEN 'rejected_by_klaviyo'
    WHEN f.kind = 'held' THEN 'held_at_lookup' WHEN f.kind IS NOT NULL THEN f.kind
    WHEN o.outcome IS NOT NULL THEN o.outcome
    WHEN c.state = 'opted_out' THEN 'opted_out' WHEN c.state IN ('pending', 'expired') THEN 'pending'
    WHEN d.retl_op = 'remove' THEN 'removed' ELSE 'applied' END,
  f.code, ?, ?,
  CASE WHEN s.retl_identity IS NULL OR d.retl_op = 'remove' THEN '[]' ELSE CONCAT('[', SUBSTR(CONCAT('',
    CASE WHEN d.retl_phone_e164 IS NOT NULL AND d.retl_phone_e164 IS DISTINCT FROM s.retl_phone_e164 THEN ',{"column":"phone_e164"}' ELSE '' END,
    CASE WHEN d."first_name" IS NOT NULL AND d."first_name" IS DISTINCT FROM s."first_name" THEN ',{"column":"first_name"}' ELSE '' END,
    CASE WHEN d."spent" IS NOT NULL AND d."spent" IS DISTINCT FROM s."spent" THEN ',{"column":"spent"}' ELSE '' END,
    CASE WHEN d."Since" IS NOT NULL AND d."Since" IS DISTINCT FROM s."Since" THEN ',{"column":"since"}' ELSE '' END,
duckdb:        CASE WHEN d."tags" IS NOT NULL AND d."tags" IS DISTINCT FROM s."tags" THEN ',{"column":"tags"}' ELSE '' END), 2), ']') END
snowflake:     CASE WHEN d."tags" IS NOT NULL AND TO_JSON(d."tags") IS DISTINCT FROM TO_JSON(s."tags") THEN ',{"column":"tags"}' ELSE '' END), 2), ']') END
FROM state.deltas_vip_0a1b2c3d AS d
LEFT JOIN temp.applied_vip_0a1b2c3d AS t ON t.retl_seq = d.retl_seq
LEFT JOIN temp.replaced_vip_0a1b2c3d AS s ON s.retl_list_id = d.retl_list_id AND s.retl_identity = d.retl_identity
LEFT JOIN (
  SELECT ABS(seq) AS seq, kind, code FROM state.row_exceptions
  WHERE run_id = ? AND model = ? AND kind IN ('rejected', 'held', 'no_profile')
  QUALIFY ROW_NUMBER() OVER (PARTITION BY ABS(seq) ORDER BY seq DESC, kind) = 1
) AS f ON f.seq = d.retl_seq
LEFT JOIN (
  SELECT n.retl_seq AS seq, MIN(r.outcome) AS outcome FROM state.row_outcomes AS r
  JOIN state.deltas_vip_0a1b2c3d AS n ON n.retl_run_id = r.run_id AND n.retl_seq BETWEEN r.first_seq AND r.last_seq
  WHERE r.run_id = ? AND r.model = ? GROUP BY n.retl_seq
) AS o ON o.seq = d.retl_seq
LEFT JOIN (
  SELECT list_id, identity, MAX(state) AS state FROM state.consents
  WHERE account_id = ? AND project = ? AND model = ? AND run_id = ?
  GROUP BY list_id, identity
) AS c ON c.list_id = d.retl_list_id AND c.identity = d.retl_identity AND d.retl_op <> 'remove'
WHERE d.retl_run_id = ? AND (t.retl_seq IS NOT NULL OR f.seq IS NOT NULL)
AND NOT EXISTS (
  SELECT 1 FROM state.journal AS j WHERE j.run_id = ? AND j.model = ? AND j.seq = d.retl_seq);
-- with ('acc', 'shop', 'vip', 'r1', '2026-01-01T00:00:00.000Z', 'none', 'r1', 'vip', 'r1', 'vip', 'acc', 'shop', 'vip', 'r1', 'r1', 'r1', 'vip')
