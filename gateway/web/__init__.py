"""HTTP: operations bound to routes, errors in one shape, who may call from a browser, and the page at ``/``."""
