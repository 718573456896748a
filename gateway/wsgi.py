"""The target for gunicorn: ``gunicorn -c deploy/gunicorn.conf.py gateway.wsgi:app``."""

# ruff: noqa: E402 - the standard library has to be patched before the other imports

from gateway import green

green.patch_if_chosen()  # before anything else is imported

import os

from gateway import lean, production

lean.import_without_clients(os.environ)

from gateway import startup
from shared.errors import FloworkError

try:
    app = startup.build(startup.read_settings(os.environ, production=True))
except FloworkError as error:
    production.refuse(error)
