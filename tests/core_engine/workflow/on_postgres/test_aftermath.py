"""What `tests/core_engine/workflow/test_aftermath.py` says, on PostgreSQL."""

from tests.core_engine.workflow.test_aftermath import *  # noqa: F403
