"""The port to the warehouse, and its two adapters: DuckDB and Snowflake."""
