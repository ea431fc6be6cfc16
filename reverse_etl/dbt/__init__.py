"""dbt: what its project file and its artifacts say. Read as files; dbt itself is never imported."""
