"""Waits."""

from __future__ import annotations

import asyncio

from pydantic import Field
from typing_extensions import override

from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class DelayConfig(Config):
    """How long."""

    seconds: float = Field(1.0, ge=0, le=86_400, description="How long to wait, in seconds (at most a day).")


class Delay(Component[DelayConfig]):
    """Passes the data on later."""

    id = "delay"
    name = "Delay"
    description = "Waits and then passes the data on unchanged."
    category = "Logic"
    kind = "CONTROL_FLOW"
    execution = Execution.ASYNC
    config_model = DelayConfig

    @override
    async def execute(self, context: Context, config: DelayConfig, payload: Payload) -> Result:
        """Wait; a stop of the run ends the wait."""
        await asyncio.sleep(config.seconds)
        return Result({"success": payload})

    @override
    async def simulate(self, context: Context, config: DelayConfig, payload: Payload) -> Result:
        """Do not wait."""
        context.log(f"Simulated: would wait {config.seconds:g} s.", "DEBUG")
        return Result({"success": payload})
