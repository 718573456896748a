"""Makes things up by chance."""

from __future__ import annotations

import secrets
import string
import uuid
from typing import Any, Literal

from pydantic import Field, model_validator
from typing_extensions import override

from core_engine.components.members import records_member, save_as_member
from core_engine.components.records import fail, records_of, succeed
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result

_MOST = 2**53
_LETTERS = string.ascii_letters + string.digits


class RandomConfig(Config):
    """What is made up."""

    kind: Literal["integer", "decimal", "choice", "sample", "shuffle", "uuid", "text"] = Field(
        "integer",
        description=(
            "A whole number or a decimal one, one item of a list, several different items of it, the list in another"
            " order, a UUID, or a text of letters and digits that nobody can guess."
        ),
    )
    lowest: int = Field(1, ge=-_MOST, le=_MOST, description="The smallest number.")
    highest: int = Field(
        100, ge=-_MOST, le=_MOST, description="The largest number; a decimal one stays below it."
    )
    length: int = Field(16, ge=1, le=1000, description="How many characters a text has, or items a sample.")
    records: Any = records_member()
    save_as: str = save_as_member("random")

    @model_validator(mode="after")
    def _range_fits(self) -> RandomConfig:
        if self.lowest > self.highest:
            raise ValueError("highest: it is smaller than lowest")
        return self


class Random(Component[RandomConfig]):
    """Throws dice."""

    id = "random"
    name = "Random"
    description = (
        "Makes a random number, text or UUID, or picks from a list. A step that is tried again may come to another"
        " result."
    )
    category = "Data"
    execution = Execution.THREAD
    config_model = RandomConfig

    @override
    def execute(self, context: Context, config: RandomConfig, payload: Payload) -> Result:
        """Return what came up, from the system's source of randomness."""
        return succeed(payload, **{config.save_as: _draw(config, payload.data)})


def _draw(config: RandomConfig, data: Any) -> Any:
    chance = secrets.SystemRandom()
    match config.kind:
        case "integer":
            return chance.randint(config.lowest, config.highest)
        case "decimal":
            return config.lowest + chance.random() * (config.highest - config.lowest)
        case "uuid":
            return str(uuid.uuid4())
        case "text":
            return "".join(secrets.choice(_LETTERS) for _ in range(config.length))
    items = records_of(config.records, data)
    if config.kind == "choice":
        if not items:
            raise fail("The list is empty: there is nothing to choose.")
        return chance.choice(items)
    return chance.sample(items, len(items) if config.kind == "shuffle" else min(config.length, len(items)))
