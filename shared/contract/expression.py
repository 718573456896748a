"""What an expression gives, shown while it is written; ours, not of the published protocol."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from shared.contract.base import Audience, Command, Event, Incoming, Role
from shared.contract.pin import PinnedOutputs

LONGEST_TEXT = 20_000
MAX_INPUTS = 100
MAX_RESULTS = 50


class PreviewInput(Incoming):
    """A connection into the step: the node it comes from, and that node's port."""

    node_id: str = Field(min_length=1, max_length=80)
    port: str | None = Field(default=None, max_length=200)


class PreviewResult(Incoming):
    """A node's result that counts in place of what it gave in the run, such as a pinned one."""

    node_id: str = Field(min_length=1, max_length=80)
    name: str = Field(default="", max_length=200)
    outputs: PinnedOutputs


class ExpressionPreview(Event, name="expression_preview_response", audience=Audience.CALLER):
    """What a text gives.

    ``kind`` is ``value`` where it holds an expression, ``text`` where it is taken as it is written, ``statement`` for a
    Jinja2 template, which is worked out only when its step runs, and ``own`` where it is left to the component.
    ``problem`` says why it gives nothing. ``has_input`` tells whether there were data for the step,
    ``cut`` whether only the beginning is shown.
    """

    type: str = "expression_preview_response"
    kind: Literal["value", "text", "statement", "own"]
    result: Any = None
    problem: str | None = None
    has_input: bool = False
    cut: bool = False
    request_id: str | None = None


class PreviewExpression(Command, name="preview_expression", reply=ExpressionPreview, role=Role.READER):
    """Work out a text with ``{{ … }}`` as the step would with the data of a run: nothing runs, nothing is recorded.

    The data are those of the run ``job_id`` and, before them, ``results``; ``inputs`` are the step's connections as
    they are drawn now. ``module_id`` and ``field`` say which setting it is: some are left to their component. Secret
    values are masked before the expression sees them.
    """

    text: str = Field(max_length=LONGEST_TEXT)
    node_id: str | None = Field(default=None, min_length=1, max_length=80)
    module_id: str | None = Field(default=None, max_length=200)
    field: str | None = Field(default=None, max_length=200)
    inputs: list[PreviewInput] = Field(default_factory=list, max_length=MAX_INPUTS)
    results: list[PreviewResult] = Field(default_factory=list, max_length=MAX_RESULTS)
