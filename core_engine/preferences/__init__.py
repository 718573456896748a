"""What users have set about the engine, with defaults for the rest (protocol §7.2)."""

from core_engine.preferences.service import PreferenceService

__all__ = ["PreferenceService"]
