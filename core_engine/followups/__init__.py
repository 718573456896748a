"""What a run sets going after it: the workflows that meet failures and alarms."""

from core_engine.followups.service import FollowUps

__all__ = ["FollowUps"]
