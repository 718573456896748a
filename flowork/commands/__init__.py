"""The verbs of the command line, one module each; a module's ``command`` is found by its name."""
