-- change_values 1
UPDATE state.run_lists SET counts = REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(counts, '"desired":', '"rows":'), '"known":', '"snapshot_rows":'), '"held_back":', '"held_at_plan":'), '"held":', '"held_at_lookup":'), '"rejected_by_checks":', '"rejected_by_check":'), '"rejected":', '"rejected_by_klaviyo":'), '"superseded":', '"replaced":'), '"kept":', '"unmanaged":'), '"gone":', '"not_found":'), '"forgotten":', '"left_in_place":');
UPDATE state.rejections SET code = 'unencodable' WHERE code = 'unrenderable';
UPDATE state.row_exceptions SET code = 'unencodable' WHERE code = 'unrenderable';

-- change_values 2

-- change_values 3
UPDATE state.run_lists SET counts = REPLACE(counts, '"missing":', '"without_profile":');
UPDATE state.rejections SET code = 'several_profiles' WHERE code = 'two_profiles';
UPDATE state.row_exceptions SET code = 'several_profiles' WHERE code = 'two_profiles';
UPDATE state.rejections SET code = 'no_profile' WHERE code = 'not_found' AND detail IN ('Klaviyo has no profile with this id.', 'Klaviyo no longer has one profile with this identifier.');
UPDATE state.row_exceptions SET code = 'no_profile' WHERE code = 'not_found' AND detail IN ('Klaviyo has no profile with this id.', 'Klaviyo no longer has one profile with this identifier.');
UPDATE state.rejections SET field = CASE field WHEN 'unsubscribed from the list' THEN 'unsubscribed_from_list' WHEN 'suppressed by another model' THEN 'suppressed_by_model' WHEN 'unknown reason' THEN 'unknown_reason' WHEN 'SPAM_REPORT' THEN 'spam_report' WHEN 'SPAM_COMPLAINT' THEN 'spam_complaint' WHEN 'USER_SUPPRESSED' THEN 'user_suppressed' ELSE field END WHERE code = 'opted_out';
UPDATE state.row_exceptions SET field = CASE field WHEN 'unsubscribed from the list' THEN 'unsubscribed_from_list' WHEN 'suppressed by another model' THEN 'suppressed_by_model' WHEN 'unknown reason' THEN 'unknown_reason' WHEN 'SPAM_REPORT' THEN 'spam_report' WHEN 'SPAM_COMPLAINT' THEN 'spam_complaint' WHEN 'USER_SUPPRESSED' THEN 'user_suppressed' ELSE field END WHERE code = 'opted_out';

-- change_values 4
INSERT INTO state.omissions SELECT account_id, project, model, list_id, row_key, field, code, detail, first_run_id FROM state.rejections AS r
WHERE source = 'omitted' AND NOT EXISTS (
  SELECT 1 FROM state.omissions AS o WHERE o.account_id = r.account_id AND o.project = r.project AND o.model = r.model AND o.list_id = r.list_id AND o.row_key = r.row_key AND o.identifier = r.field);
DELETE FROM state.rejections WHERE source = 'omitted';

-- change_values 5
