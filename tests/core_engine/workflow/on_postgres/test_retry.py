"""What `tests/core_engine/workflow/test_retry.py` says, on PostgreSQL."""

from tests.core_engine.workflow.test_retry import *  # noqa: F403
