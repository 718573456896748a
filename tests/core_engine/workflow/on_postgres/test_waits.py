"""What `tests/core_engine/workflow/test_waits.py` says, on PostgreSQL."""

from tests.core_engine.workflow.test_waits import *  # noqa: F403
