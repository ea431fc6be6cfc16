"""The trial that `make demo` runs: a shop, its lists and two days of its life."""
