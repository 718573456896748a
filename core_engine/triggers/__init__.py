"""Triggers: what starts saved workflows by itself, by time, by HTTP, by files, programs, events and other runs."""

from core_engine.triggers.service import TriggerService

__all__ = ["TriggerService"]
