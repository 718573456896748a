"""Variables of the engine's owner; secret values are encrypted and leave only into the steps that use them."""

from core_engine.variables.cipher import ValueCipher, master_key
from core_engine.variables.service import VariableService

__all__ = ["ValueCipher", "VariableService", "master_key"]
