"""What `tests/core_engine/workflow/test_failures.py` says, on PostgreSQL."""

from tests.core_engine.workflow.test_failures import *  # noqa: F403
