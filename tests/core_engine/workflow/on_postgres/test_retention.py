"""What `tests/core_engine/workflow/test_retention.py` says, on PostgreSQL."""

from tests.core_engine.workflow.test_retention import *  # noqa: F403
