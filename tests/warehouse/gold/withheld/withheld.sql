-- withheld 1
duckdb:    CREATE OR REPLACE TABLE temp.withheld_people (digest VARCHAR);
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.withheld_people (digest VARCHAR) DEFAULT_DDL_COLLATION = '';
INSERT INTO temp.withheld_people SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state <> 'readmitted';
-- with ('acc', 'shop')
duckdb:    INSERT INTO temp.withheld_people SELECT sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:email:' || retl_email) FROM temp.staged_vip_0a1b2c3d WHERE retl_email IS NOT NULL AND retl_problem IS NULL;
duckdb:    INSERT INTO temp.withheld_people SELECT sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:phone_e164:' || retl_phone_e164) FROM temp.staged_vip_0a1b2c3d WHERE retl_phone_e164 IS NOT NULL AND retl_problem IS NULL;
duckdb:    UPDATE temp.staged_vip_0a1b2c3d SET retl_identity = 'key:' || sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || retl_identity), retl_email = NULL, retl_phone_e164 = NULL, retl_external_id = NULL, retl_klaviyo_profile_id = NULL
duckdb:    WHERE sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || retl_identity) IN (SELECT person FROM state.withheld WHERE account_id = ? AND project = ? AND model = ? AND state IN ('erased', 'readmitted'));
snowflake: INSERT INTO temp.withheld_people SELECT SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:email:' || retl_email, 256) FROM temp.staged_vip_0a1b2c3d WHERE retl_email IS NOT NULL AND retl_problem IS NULL;
snowflake: INSERT INTO temp.withheld_people SELECT SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:phone_e164:' || retl_phone_e164, 256) FROM temp.staged_vip_0a1b2c3d WHERE retl_phone_e164 IS NOT NULL AND retl_problem IS NULL;
snowflake: UPDATE temp.staged_vip_0a1b2c3d SET retl_identity = 'key:' || SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || retl_identity, 256), retl_email = NULL, retl_phone_e164 = NULL, retl_external_id = NULL, retl_klaviyo_profile_id = NULL
snowflake: WHERE SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || retl_identity, 256) IN (SELECT person FROM state.withheld WHERE account_id = ? AND project = ? AND model = ? AND state IN ('erased', 'readmitted'));
-- with ('acc', 'shop', 'vip')
UPDATE temp.staged_vip_0a1b2c3d SET retl_problem = 'withheld', retl_detail = NULL
duckdb:    WHERE retl_email IS NOT NULL AND sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:email:' || retl_email) IN (SELECT digest FROM temp.withheld_people);
snowflake: WHERE retl_email IS NOT NULL AND SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:email:' || retl_email, 256) IN (SELECT digest FROM temp.withheld_people);
UPDATE temp.staged_vip_0a1b2c3d SET retl_problem = 'withheld', retl_detail = NULL
duckdb:    WHERE retl_phone_e164 IS NOT NULL AND sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:phone_e164:' || retl_phone_e164) IN (SELECT digest FROM temp.withheld_people);
duckdb:    DELETE FROM temp.planned_vip_0a1b2c3d WHERE retl_op = 'remove' AND sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:email:' || retl_email) IN (SELECT digest FROM temp.withheld_people);
duckdb:    DELETE FROM temp.planned_vip_0a1b2c3d WHERE retl_op = 'remove' AND sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:phone_e164:' || retl_phone_e164) IN (SELECT digest FROM temp.withheld_people);
duckdb:    DELETE FROM temp.planned_vip_0a1b2c3d WHERE retl_op = 'remove' AND sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:external_id:' || retl_external_id) IN (SELECT digest FROM temp.withheld_people);
duckdb:    DELETE FROM temp.planned_vip_0a1b2c3d WHERE retl_op = 'remove' AND sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:klaviyo_profile_id:' || retl_klaviyo_profile_id) IN (SELECT digest FROM temp.withheld_people);
snowflake: WHERE retl_phone_e164 IS NOT NULL AND SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:phone_e164:' || retl_phone_e164, 256) IN (SELECT digest FROM temp.withheld_people);
snowflake: DELETE FROM temp.planned_vip_0a1b2c3d WHERE retl_op = 'remove' AND SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:email:' || retl_email, 256) IN (SELECT digest FROM temp.withheld_people);
snowflake: DELETE FROM temp.planned_vip_0a1b2c3d WHERE retl_op = 'remove' AND SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:phone_e164:' || retl_phone_e164, 256) IN (SELECT digest FROM temp.withheld_people);
snowflake: DELETE FROM temp.planned_vip_0a1b2c3d WHERE retl_op = 'remove' AND SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:external_id:' || retl_external_id, 256) IN (SELECT digest FROM temp.withheld_people);
snowflake: DELETE FROM temp.planned_vip_0a1b2c3d WHERE retl_op = 'remove' AND SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:klaviyo_profile_id:' || retl_klaviyo_profile_id, 256) IN (SELECT digest FROM temp.withheld_people);
DELETE FROM temp.planned_vip_0a1b2c3d WHERE retl_op = 'remove' AND retl_identity IN (
SELECT 'key:' || person FROM state.withheld WHERE account_id = ? AND project = ? AND model = ?
duckdb:    AND digest IN (SELECT sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:email:' || retl_email) FROM temp.staged_vip_0a1b2c3d WHERE retl_problem IS NOT NULL AND retl_email IS NOT NULL
duckdb:    UNION SELECT sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:phone_e164:' || retl_phone_e164) FROM temp.staged_vip_0a1b2c3d WHERE retl_problem IS NOT NULL AND retl_phone_e164 IS NOT NULL));
snowflake: AND digest IN (SELECT SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:email:' || retl_email, 256) FROM temp.staged_vip_0a1b2c3d WHERE retl_problem IS NOT NULL AND retl_email IS NOT NULL
snowflake: UNION SELECT SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:phone_e164:' || retl_phone_e164, 256) FROM temp.staged_vip_0a1b2c3d WHERE retl_problem IS NOT NULL AND retl_phone_e164 IS NOT NULL));
-- with ('acc', 'shop', 'vip')
SELECT person, profile_id FROM state.withheld WHERE account_id = ? AND project = ? AND model = ? AND state = ? ORDER BY person, digest;
-- with ('acc', 'shop', 'vip', 'requested')
DELETE FROM state.withheld WHERE account_id = ? AND project = ? AND model = ? AND person IN (?);
-- with ('acc', 'shop', 'vip', 'daa460ae3bda82b8bdd054b9d369d07f00f5e172978c194c2fdcaea1ca53d0ed')
INSERT INTO state.withheld VALUES (?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', 'vip', 'daa460ae3bda82b8bdd054b9d369d07f00f5e172978c194c2fdcaea1ca53d0ed', 'daa460ae3bda82b8bdd054b9d369d07f00f5e172978c194c2fdcaea1ca53d0ed', 'P1', 'requested', '2026-11-22T12:00:00.000Z', 'acc', 'shop', 'vip', 'daa460ae3bda82b8bdd054b9d369d07f00f5e172978c194c2fdcaea1ca53d0ed', '9f1c8a1dc836833403a97b60b6936e95778f35f3f3f2e0fe5074577710896cd5', 'P1', 'requested', '2026-11-22T12:00:00.000Z')
UPDATE state.withheld SET state = ?, profile_id = ? WHERE account_id = ? AND project = ? AND model = ? AND person IN (?);
-- with ('deleted', None, 'acc', 'shop', 'vip', 'daa460ae3bda82b8bdd054b9d369d07f00f5e172978c194c2fdcaea1ca53d0ed')
SELECT 1 FROM state.withheld WHERE account_id = ? AND project = ? AND state = ? ORDER BY 1 LIMIT 1;
-- with ('acc', 'shop', 'deleted')
SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = ? ORDER BY digest;
-- with ('acc', 'shop', 'deleted')
duckdb:    UPDATE state.snapshot_vip_0a1b2c3d SET retl_identity = 'key:' || sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || retl_identity), retl_email = NULL, retl_phone_e164 = NULL, retl_external_id = NULL, retl_klaviyo_profile_id = NULL
duckdb:    WHERE sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || retl_identity) IN (SELECT person FROM state.withheld WHERE account_id = ? AND project = ? AND model = ? AND state = 'deleted');
snowflake: UPDATE state.snapshot_vip_0a1b2c3d SET retl_identity = 'key:' || SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || retl_identity, 256), retl_email = NULL, retl_phone_e164 = NULL, retl_external_id = NULL, retl_klaviyo_profile_id = NULL
snowflake: WHERE SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || retl_identity, 256) IN (SELECT person FROM state.withheld WHERE account_id = ? AND project = ? AND model = ? AND state = 'deleted');
-- with ('acc', 'shop', 'vip')
duckdb:    CREATE OR REPLACE TABLE temp.erased_rows (model VARCHAR, row_key VARCHAR);
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.erased_rows (model VARCHAR, row_key VARCHAR) DEFAULT_DDL_COLLATION = '';
INSERT INTO temp.erased_rows SELECT ?, retl_identity FROM state.snapshot_vip_0a1b2c3d
duckdb:    WHERE sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:email:' || retl_email) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
snowflake: WHERE SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:email:' || retl_email, 256) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
-- with ('vip', 'acc', 'shop')
INSERT INTO temp.erased_rows SELECT ?, retl_identity FROM state.snapshot_vip_0a1b2c3d
duckdb:    WHERE sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:phone_e164:' || retl_phone_e164) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
snowflake: WHERE SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:phone_e164:' || retl_phone_e164, 256) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
-- with ('vip', 'acc', 'shop')
INSERT INTO temp.erased_rows SELECT ?, retl_identity FROM state.snapshot_vip_0a1b2c3d
duckdb:    WHERE sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:external_id:' || retl_external_id) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
snowflake: WHERE SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:external_id:' || retl_external_id, 256) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
-- with ('vip', 'acc', 'shop')
INSERT INTO temp.erased_rows SELECT ?, retl_identity FROM state.snapshot_vip_0a1b2c3d
duckdb:    WHERE sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:klaviyo_profile_id:' || retl_klaviyo_profile_id) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
snowflake: WHERE SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:klaviyo_profile_id:' || retl_klaviyo_profile_id, 256) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
-- with ('vip', 'acc', 'shop')
INSERT INTO temp.erased_rows SELECT ?, retl_identity FROM state.snapshot_vip_0a1b2c3d
duckdb:    WHERE sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || retl_identity) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
snowflake: WHERE SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || retl_identity, 256) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
-- with ('vip', 'acc', 'shop')
DELETE FROM state.snapshot_vip_0a1b2c3d WHERE retl_identity IN (SELECT row_key FROM temp.erased_rows WHERE model = ?);
-- with ('vip',)
DELETE FROM state.rejections WHERE account_id = ? AND project = ?
duckdb:    AND sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || row_key) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
snowflake: AND SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || row_key, 256) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
-- with ('acc', 'shop', 'acc', 'shop')
DELETE FROM state.rejections WHERE account_id = ? AND project = ?
AND CONCAT(model, '|', row_key) IN (SELECT CONCAT(model, '|', row_key) FROM temp.erased_rows);
-- with ('acc', 'shop')
DELETE FROM state.omissions WHERE account_id = ? AND project = ?
duckdb:    AND sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || row_key) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
snowflake: AND SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || row_key, 256) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
-- with ('acc', 'shop', 'acc', 'shop')
DELETE FROM state.omissions WHERE account_id = ? AND project = ?
AND CONCAT(model, '|', row_key) IN (SELECT CONCAT(model, '|', row_key) FROM temp.erased_rows);
-- with ('acc', 'shop')
DELETE FROM state.responses WHERE account_id = ? AND project = ?
duckdb:    AND sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || row_key) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
snowflake: AND SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || row_key, 256) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
-- with ('acc', 'shop', 'acc', 'shop')
DELETE FROM state.responses WHERE account_id = ? AND project = ?
AND CONCAT(model, '|', row_key) IN (SELECT CONCAT(model, '|', row_key) FROM temp.erased_rows);
-- with ('acc', 'shop')
DELETE FROM state.unmatched_removals WHERE account_id = ? AND project = ?
duckdb:    AND sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || identity) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
snowflake: AND SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || identity, 256) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
-- with ('acc', 'shop', 'acc', 'shop')
DELETE FROM state.unmatched_removals WHERE account_id = ? AND project = ?
AND CONCAT(model, '|', identity) IN (SELECT CONCAT(model, '|', row_key) FROM temp.erased_rows);
-- with ('acc', 'shop')
DELETE FROM state.own_suppressions WHERE account_id = ? AND project = ?
duckdb:    AND sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || identity) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
snowflake: AND SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || identity, 256) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
-- with ('acc', 'shop', 'acc', 'shop')
DELETE FROM state.own_suppressions WHERE account_id = ? AND project = ?
AND CONCAT(model, '|', identity) IN (SELECT CONCAT(model, '|', row_key) FROM temp.erased_rows);
-- with ('acc', 'shop')
DELETE FROM state.consents WHERE account_id = ? AND project = ?
duckdb:    AND sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || identity) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
snowflake: AND SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || identity, 256) IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
-- with ('acc', 'shop', 'acc', 'shop')
DELETE FROM state.consents WHERE account_id = ? AND project = ?
AND CONCAT(model, '|', identity) IN (SELECT CONCAT(model, '|', row_key) FROM temp.erased_rows);
-- with ('acc', 'shop')
DELETE FROM state.journal WHERE account_id = ? AND project = ?
duckdb:    AND CASE WHEN pii = 'values' THEN sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:email:' || email) ELSE email END IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
snowflake: AND CASE WHEN pii = 'values' THEN SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:email:' || email, 256) ELSE email END IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
-- with ('acc', 'shop', 'acc', 'shop')
DELETE FROM state.journal WHERE account_id = ? AND project = ?
duckdb:    AND CASE WHEN pii = 'values' THEN sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:phone_e164:' || phone_e164) ELSE phone_e164 END IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
snowflake: AND CASE WHEN pii = 'values' THEN SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:phone_e164:' || phone_e164, 256) ELSE phone_e164 END IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
-- with ('acc', 'shop', 'acc', 'shop')
DELETE FROM state.journal WHERE account_id = ? AND project = ?
duckdb:    AND CASE WHEN pii = 'values' THEN sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:external_id:' || external_id) ELSE external_id END IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
snowflake: AND CASE WHEN pii = 'values' THEN SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:external_id:' || external_id, 256) ELSE external_id END IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
-- with ('acc', 'shop', 'acc', 'shop')
DELETE FROM state.journal WHERE account_id = ? AND project = ?
duckdb:    AND CASE WHEN pii = 'values' THEN sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:klaviyo_profile_id:' || klaviyo_profile_id) ELSE klaviyo_profile_id END IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
snowflake: AND CASE WHEN pii = 'values' THEN SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:klaviyo_profile_id:' || klaviyo_profile_id, 256) ELSE klaviyo_profile_id END IN (SELECT digest FROM state.withheld WHERE account_id = ? AND project = ? AND state = 'deleted');
-- with ('acc', 'shop', 'acc', 'shop')
DELETE FROM state.journal WHERE account_id = ? AND project = ?
duckdb:    AND CONCAT(model, '|', CASE WHEN pii = 'values' THEN sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || identity) ELSE identity END) IN (SELECT CONCAT(model, '|', sha256('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || row_key)) FROM temp.erased_rows);
snowflake: AND CONCAT(model, '|', CASE WHEN pii = 'values' THEN SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || identity, 256) ELSE identity END) IN (SELECT CONCAT(model, '|', SHA2('414322309db5c06d090a2e922ccc3e00708c993b9b96405de127b7fd8da2dd21:' || row_key, 256)) FROM temp.erased_rows);
-- with ('acc', 'shop')
UPDATE state.withheld SET state = ? WHERE account_id = ? AND project = ? AND state = ?;
-- with ('erased', 'acc', 'shop', 'deleted')
SELECT person FROM state.withheld WHERE account_id = ? AND project = ? AND digest = ? AND state IN (?, ?) ORDER BY person;
-- with ('acc', 'shop', 'daa460ae3bda82b8bdd054b9d369d07f00f5e172978c194c2fdcaea1ca53d0ed', 'requested', 'deleted')
SELECT DISTINCT person FROM state.withheld WHERE account_id = ? AND project = ? AND digest = ? ORDER BY person;
-- with ('acc', 'shop', 'daa460ae3bda82b8bdd054b9d369d07f00f5e172978c194c2fdcaea1ca53d0ed')
UPDATE state.withheld SET state = ? WHERE account_id = ? AND project = ? AND person IN (?);
-- with ('readmitted', 'acc', 'shop', 'c0ffee')
DELETE FROM state.withheld WHERE account_id = ? AND project = ? AND model = ? AND person IN (?);
-- with ('acc', 'shop', 'vip', 'daa460ae3bda82b8bdd054b9d369d07f00f5e172978c194c2fdcaea1ca53d0ed')
