"""The licences of everything that is shipped: read from the installed packages, kept in requirements/licences.toml."""
