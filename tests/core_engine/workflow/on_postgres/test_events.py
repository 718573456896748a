"""What `tests/core_engine/workflow/test_events.py` says, on PostgreSQL."""

from tests.core_engine.workflow.test_events import *  # noqa: F403
