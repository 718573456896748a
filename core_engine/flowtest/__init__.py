"""Flow tests: workflows run in this process on a store that is thrown away, and their results are compared."""
