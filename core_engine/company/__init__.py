"""Who has which saved workflow open at the moment, told to all of them."""

from core_engine.company.desk import Company, Guest

__all__ = ["Company", "Guest"]
