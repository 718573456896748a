"""Measures this product beside a peer or a physical limit in the same run; `make bench` runs all of it."""
