"""Compiles and checks models: SQL files, and dbt models with `meta.reverse_etl`."""
