"""What a component is: a typed configuration, named ports, a stated guarantee and one function."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError

if TYPE_CHECKING:
    from core_engine.kernel.context import Context, Files
    from core_engine.kernel.payload import Payload, Result
    from core_engine.kernel.suspension import Answer, Suspend

    Returned = Result | Suspend | Awaitable[Result | Suspend]


class StepPolicy(StrEnum):
    """What may happen when a step was started and nobody knows whether it finished.

    REPEATABLE: run it again. KEYED: run it again with the same idempotency key, which the effect honours.
    ONCE: never automatically; the outcome is unknown and a person decides.
    """

    REPEATABLE = "repeatable"
    KEYED = "keyed"
    ONCE = "once"


class Execution(StrEnum):
    """Where a component's `execute` runs.

    INLINE: a plain function that takes well under a millisecond, called on the event loop.
    ASYNC: a coroutine function that waits for something.
    THREAD: a plain function that takes long or blocks, called on the bounded thread pool.
    """

    INLINE = "inline"
    ASYNC = "async"
    THREAD = "thread"


class Config(BaseModel):
    """Base of every component's configuration; unknown members are ignored, because saved workflows differ.

    A validator is built at its first use: most engines use few of the components.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


_SIMULATE = RunMode.SIMULATE  # on Python 3.11 naming an enum member costs a call each time

ConfigT = TypeVar("ConfigT", bound=Config)
Validator = TypeVar("Validator", bound=Callable[..., Any])


def reads_text(validator: Validator) -> Validator:
    """Mark a validator that goes before a type and changes texts and None only: a list or an object passes as it is."""
    validator.passes_objects = True  # type: ignore[attr-defined]
    return validator


def passes_objects(validator: object) -> bool:
    """Tell whether a validator is marked by `reads_text`."""
    return getattr(validator, "passes_objects", False) is True


@dataclass(frozen=True, slots=True)
class Port:
    """A named input or output."""

    name: str
    label: str
    hint: str = ""


class Component(ABC, Generic[ConfigT]):
    """Base of every component. One instance serves all runs, so it holds no state of a run.

    A subclass sets the class attributes and writes `execute`. A component whose policy is not REPEATABLE has
    an outside effect and must also write `simulate`, which does the same without the effect.
    An exception in either fails the step; its text becomes the step's error.
    """

    id: ClassVar[str]
    name: ClassVar[str]
    description: ClassVar[str]
    category: ClassVar[str]
    version: ClassVar[str] = "1.0.0"
    kind: ClassVar[str] = "ACTION"
    component_type: ClassVar[str] = "modules"
    inputs: ClassVar[tuple[Port, ...]] = (Port("input", "Input"),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("success", "Success"), Port("error", "Error"))
    policy: ClassVar[StepPolicy] = StepPolicy.REPEATABLE
    execution: ClassVar[Execution] = Execution.INLINE
    config_model: ClassVar[type[Config]] = Config
    raw_fields: ClassVar[frozenset[str]] = frozenset()
    """Members of ``config_values`` in which no expression is resolved: they are written in a language of their own."""
    holds_body: ClassVar[bool] = False
    """Whether other nodes may stand inside a node of this component, as the body that its runs carry out."""
    ends_loop: ClassVar[bool] = False
    """Whether a loop starts no further item once this step has ended well in the run of an item."""

    refusal: str | None = None
    """Why the component must not run at the moment; set for all runs at once, by the registry only."""

    open_ports: ClassVar[bool] = False
    """Whether more output ports than the declared ones may become active, known only when the step runs."""

    awaits_events: ClassVar[bool] = False
    """Whether its steps wait for events (`core_engine.kernel.suspension.AwaitedEvent`)."""

    queue: ClassVar[str] = "default"
    """Which queue of worker processes its steps go to, where the engine uses them; ``engine``: none."""

    def unready(self, values: Mapping[str, Any]) -> str | None:  # noqa: ARG002 - for subclasses
        """Return why its steps cannot be carried out on this machine as things are; None: nothing is known against it.

        ``values`` are a node's settings as they were written. Asked when somebody has a workflow checked, never
        before a step: quick, and without an effect.
        """
        return None

    @abstractmethod
    def execute(self, context: Context, config: ConfigT, payload: Payload) -> Returned:
        """Do the step's work and say which ports become active with which data, or have it wait (`Suspend`)."""

    def resume(self, context: Context, config: ConfigT, payload: Payload, answer: Answer) -> Returned:  # noqa: ARG002 - for subclasses
        """Go on after a wait; called where `execute` is, with the same settings and payload.

        A component that gives back `Suspend` must write it. After a crash or a failed attempt it is called again
        with the same answer, as the step's policy allows.
        """
        raise TypeError(f"{self.id} waits and has no resume()")

    def simulate(self, context: Context, config: ConfigT, payload: Payload) -> Returned:
        """Do what `execute` does, but without any outside effect."""
        if self.policy is not StepPolicy.REPEATABLE:
            raise TypeError(f"{self.id} has an effect and no simulate()")
        return self.execute(context, config, payload)

    def seen_by_settings(self, payload: Payload, answer: Answer | None) -> Payload:  # noqa: ARG002 - for subclasses
        """Return what ``data`` and ``payload`` mean in the settings' expressions: what the step was given."""
        return payload

    def body_problem(self, config: ConfigT, *, has_body: bool) -> str | None:  # noqa: ARG002 - for subclasses
        """Return what is wrong with a node that has a body or none under this configuration."""
        return None

    def open_items(self, files: Files, source: Mapping[str, Any]) -> Iterator[Any]:  # noqa: ARG002 - for subclasses
        """Read the items of `ChildRuns.source` one by one, always the same ones; it is called on a thread."""
        raise TypeError(f"{self.id} reads no items")

    def parse_config(self, values: Mapping[str, Any]) -> ConfigT:
        """Validate a node's ``config_values``; raises pydantic's ValidationError naming each wrong field."""
        return self.config_model.model_validate(values)  # type: ignore[return-value]

    def output_ports(self, config: ConfigT) -> tuple[Port, ...]:  # noqa: ARG002 - for subclasses
        """Return the output ports under this configuration; most components have fixed ones."""
        return self.outputs

    def policy_for(self, config: ConfigT) -> StepPolicy:  # noqa: ARG002 - for subclasses
        """Return the step policy under this configuration; most components have a fixed one.

        It is asked when a workflow is parsed, so it may depend only on members that take one of a few values.
        """
        return self.policy

    def call(self, context: Context, config: ConfigT, payload: Payload) -> Returned:
        """Run the step in the context's mode; raises FORBIDDEN for a component that was switched off."""
        if self.refusal is not None:
            raise FloworkError(ErrorCode.FORBIDDEN, self.refusal)
        method = self.simulate if context.mode is _SIMULATE else self.execute
        return method(context, config, payload)
