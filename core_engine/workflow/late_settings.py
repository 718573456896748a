"""Settings that take a while: those with Jinja2 statements are worked out in a locked process, then the step begins."""

from __future__ import annotations

import asyncio

from core_engine.kernel.component import Config
from core_engine.kernel.payload import Payload
from core_engine.workflow.settings_plan import SettingsPlan
from core_engine.workflow.statements import Statements, replaced, statements_in
from core_engine.workflow.steps import Attempt, Host, StepContext, configure, scope_of
from shared.errors import ErrorCode, FloworkError


def launch_late(host: Host, attempt: Attempt, context: StepContext, payload: Payload, seen: Payload) -> None:
    """Launch a step once its settings stand, which ``seen`` is in sight of; a failure is the step's."""
    name = f"settings {context.run_id} {context.node_id}"
    task = host.env.loop.create_task(_settings(host, context, seen), name=name)
    attempt.task = task

    def begin(done: asyncio.Task[Config]) -> None:
        if done.cancelled() or not context.open:
            error = FloworkError(ErrorCode.COMPONENT_FAILED, "The step was cancelled.")
            host.step_returned(attempt, error)
        elif failure := done.exception():
            host.step_returned(attempt, failure)
        else:
            attempt.task = None
            host.env.executor.launch(host, attempt, context, done.result(), payload)

    task.add_done_callback(begin)


async def _settings(host: Host, context: StepContext, payload: Payload) -> Config:
    template = context.node.template
    scope = scope_of(host, context, payload)
    texts: dict[int, str] = {}
    for found in statements_in(template):
        texts[id(found)] = await host.env.write_text(found.text, found.values(scope))

    def text_of(found: Statements) -> str:
        return texts[id(found)]

    settled = SettingsPlan(context.node.component, replaced(template, text_of))
    return configure(host, context, payload, settled)
