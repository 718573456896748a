"""Asks a database with one SQL statement whose values are bound, never pasted in."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import JsonList, NamedValue, form
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class SqlQueryConfig(Config):
    """The database, the statement and its limits."""

    url: str = Field(
        min_length=1, max_length=4000, title="Database",
        description=(
            "Address of the database: sqlite:///file inside the folders that workflows may use, or"
            " postgresql://user:password@host:5432/name; better a secret variable than the text itself."
        ),
        json_schema_extra=form(placeholder="{{ vars.DATABASE }}", secret=True),
    )  # fmt: skip
    query: str = Field(
        min_length=1, max_length=100_000,
        description=(
            "One SQL statement. Values are named in it as :name and given below; nothing else is put into it. Write"
            " \\: for a colon before a name that is no parameter."
        ),
        json_schema_extra=form(
            widget="code", language="sql", rows=8, placeholder="SELECT * FROM orders WHERE customer = :customer"
        ),
    )  # fmt: skip
    parameters: JsonList[NamedValue] = Field(
        default_factory=list, max_length=1000,
        description="The values of the statement's names. A list is for IN :names; an object is handed on as JSON.",
    )  # fmt: skip
    read_only: bool = Field(
        True, description="Only read: the database itself refuses to change anything in this step."
    )
    output: Literal["rows", "ndjson", "csv"] = Field(
        "rows",
        description="Hand the rows on as data, or write them to a file (one JSON object a line, or CSV) as they come.",
    )
    path: str = Field(
        "", max_length=4096, description="The file for ndjson and csv, inside the folders that workflows may use.",
        json_schema_extra=form(placeholder="exports/orders.ndjson"),
    )  # fmt: skip
    max_rows: int = Field(
        1000, ge=1, le=10_000_000, title="Most rows",
        description="Further rows are not fetched, and the result says so. As data at most 100,000 rows are handed on.",
    )  # fmt: skip
    timeout_seconds: float = Field(30.0, gt=0, le=86_400, description="Longest time it may take, in seconds.")


class SqlQuery(Component[SqlQueryConfig]):
    """Runs a statement."""

    id = "sql_query"
    name = "SQL query"
    description = (
        "Asks a SQLite or PostgreSQL database and hands the rows on, or writes many of them to a file."
    )
    category = "Databases"
    policy = StepPolicy.ONCE
    execution = Execution.THREAD
    config_model = SqlQueryConfig
    raw_fields = frozenset({"query"})

    def __init__(self, network: NetworkPolicy) -> None:
        self._network = network

    @override
    def policy_for(self, config: SqlQueryConfig) -> StepPolicy:
        """Repeat reading, also into a file, which is replaced whole; never repeat changes."""
        if not config.read_only:
            return StepPolicy.ONCE
        return StepPolicy.REPEATABLE if config.output == "rows" else StepPolicy.KEYED

    @override
    def execute(self, context: Context, config: SqlQueryConfig, payload: Payload) -> Result:
        """Return ``rows`` (or ``path`` and ``size_bytes``), ``columns``, ``row_count`` and ``more``.

        For a statement without rows ``row_count`` is how many it changed, or -1.
        """
        from core_engine.components.databases.query import run  # noqa: PLC0415 - heavy, only where used

        answer = run(config, context.files, self._network)
        if answer["more"]:
            context.log(f"There are more than {answer['row_count']} rows; the rest was not fetched.", "WARN")
        return Result.on("success", answer, payload.history)

    @override
    def simulate(self, context: Context, config: SqlQueryConfig, payload: Payload) -> Result:
        """Connect to nothing; return no rows."""
        context.log("Simulated: would ask the database.")
        answer: dict[str, Any] = {"columns": [], "row_count": 0, "more": False, "simulated": True}
        answer |= {"rows": []} if config.output == "rows" else {"path": config.path, "size_bytes": 0}
        return Result.on("success", answer, payload.history)
