"""What `tests/core_engine/workflow/test_parking.py` says, on PostgreSQL."""

from tests.core_engine.workflow.test_parking import *  # noqa: F403
