"""The demo that `make demo` runs: two days of a shop, against a sandbox."""
