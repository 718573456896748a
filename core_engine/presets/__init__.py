"""Saved workflows as chains of signed versions, checked whenever they are read (protocol §7.1)."""

from core_engine.presets.service import PresetService, SavedWorkflow

__all__ = ["PresetService", "SavedWorkflow"]
