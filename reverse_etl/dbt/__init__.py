"""Read dbt's project file and artifacts, as files: dbt itself is never imported."""
