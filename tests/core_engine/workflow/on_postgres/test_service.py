"""What `tests/core_engine/workflow/test_service.py` says, on PostgreSQL."""

from tests.core_engine.workflow.test_service import *  # noqa: F403
