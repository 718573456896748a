"""Files derived from the contract, the settings and the error table. One module a file: `FILENAME` and `make()`."""
