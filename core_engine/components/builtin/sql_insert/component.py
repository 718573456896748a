"""Writes rows into a table of a database, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from core_engine.components.fields import JsonList, Words, form
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError


class SqlInsertConfig(Config):
    """The database, the table and the rows."""

    url: str = Field(
        min_length=1, max_length=4000, title="Database",
        description=(
            "Address of the database: sqlite:///file inside the folders that workflows may use, or"
            " postgresql://user:password@host:5432/name; better a secret variable than the text itself."
        ),
        json_schema_extra=form(placeholder="{{ vars.DATABASE }}", secret=True),
    )  # fmt: skip
    table: str = Field(
        min_length=1, max_length=200, pattern=r"^[^\x00]+$",
        description="The table, with its schema and a dot before it where needed.",
        json_schema_extra=form(placeholder="orders"),
    )  # fmt: skip
    rows: JsonList[Any] = Field(
        default_factory=list,
        description=(
            "The rows: a list of objects of columns and values; a column that a row lacks becomes NULL. Empty: the"
            " data itself when it is a list or an object with rows."
        ),
        json_schema_extra=form(placeholder="{{ data.rows }}"),
    )  # fmt: skip
    mode: Literal["insert", "upsert", "ignore"] = Field(
        "insert",
        description=(
            "insert: a row that is there already fails the step. upsert: it is replaced. ignore: it is left as it is."
        ),
    )
    key_columns: Words = Field(
        default_factory=list, max_length=20,
        description="For upsert and ignore: the columns of the unique key that says whether a row is there already.",
        json_schema_extra=form(placeholder="id"),
    )  # fmt: skip
    timeout_seconds: float = Field(60.0, gt=0, le=86_400, description="Longest time it may take, in seconds.")

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        if self.mode != "insert" and not self.key_columns:
            raise ValueError(f"{self.mode} needs key_columns")
        return self


class SqlInsert(Component[SqlInsertConfig]):
    """Writes rows."""

    id = "sql_insert"
    name = "SQL insert"
    description = (
        "Writes a list of rows into a SQLite or PostgreSQL table in one transaction: all of them or none."
    )
    category = "Databases"
    policy = StepPolicy.ONCE
    execution = Execution.THREAD
    config_model = SqlInsertConfig

    def __init__(self, network: NetworkPolicy) -> None:
        self._network = network

    @override
    def policy_for(self, config: SqlInsertConfig) -> StepPolicy:
        """Repeat what finds its rows by their key: the table is the same after the second time."""
        return StepPolicy.ONCE if config.mode == "insert" else StepPolicy.KEYED

    @override
    def execute(self, context: Context, config: SqlInsertConfig, payload: Payload) -> Result:
        """Return ``table``, ``row_count`` (rows handed over) and ``changed``."""
        from core_engine.components.databases.insert import run  # noqa: PLC0415 - heavy, only where used

        rows = _rows(config, payload.data)
        changed = run(config, rows, context.files, self._network)
        context.log(f"Wrote {changed} of {len(rows)} rows into {config.table}.")
        return _result(config, rows, changed, payload)

    @override
    def simulate(self, context: Context, config: SqlInsertConfig, payload: Payload) -> Result:
        """Write nothing; return how many rows it would be."""
        rows = _rows(config, payload.data)
        context.log(f"Simulated: would write {len(rows)} rows into {config.table}.")
        return _result(config, rows, 0, payload, simulated=True)


def _rows(config: SqlInsertConfig, data: Any) -> Sequence[Any]:
    rows = config.rows or (data.get("rows") if isinstance(data, dict) else data)
    if not isinstance(rows, list):
        raise FloworkError(
            ErrorCode.INVALID_REQUEST, "There are no rows: neither in the settings nor as a list in the data."
        )
    return rows


def _result(
    config: SqlInsertConfig, rows: Sequence[Any], changed: int, payload: Payload, **more: Any
) -> Result:
    answer = {"table": config.table, "row_count": len(rows), "changed": changed, **more}
    return Result.on("success", answer, payload.history)
