"""What a run leaves for other programs: a manifest.json and a run_results.json in the shape of dbt's."""
