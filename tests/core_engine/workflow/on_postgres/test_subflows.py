"""What `tests/core_engine/workflow/test_subflows.py` says, on PostgreSQL."""

from tests.core_engine.workflow.test_subflows import *  # noqa: F403
