"""What an expression gives while it is written, on a real engine: with which data, how much of it, and for whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.core_engine.engine import ADMIN, READER, RUNNER, STRANGER, Talker, admit, engine, talker

SECRET = "hunter-two-and-more"


def _set(node_id: str, name: str, **values: Any) -> dict[str, Any]:
    rows = [{"name": key, "value": value} for key, value in values.items()]
    return {
        "id": node_id,
        "name": name,
        "module_id": "static_data_provider_module",
        "config_values": {"variables_to_set": rows},
    }


WORKFLOW = {
    "nodes": [
        _set("a", "Who", city="Bandung", people=3),
        _set("b", "Which place", place="{{ data.city }}", key="{{ vars.KEY }}"),
        {"id": "c", "name": "Last", "module_id": "delay", "config_values": {"seconds": 0}},
        {"id": "d", "name": "On error", "module_id": "delay", "config_values": {"seconds": 0}},
    ],
    "connections": [
        {"id": "ab", "source": "a", "target": "b", "source_port_name": "success"},
        {"id": "bc", "source": "b", "target": "c", "source_port_name": "success"},
        {"id": "bd", "source": "b", "target": "d", "source_port_name": "error"},
    ],
}


@pytest.fixture
async def owner(tmp_path: Path) -> AsyncIterator[Talker]:
    """Talk to an engine with three variables, on which the workflow has run as ``r``."""
    async with engine(tmp_path) as running, talker(running) as client:
        await admit(running)
        for name, data in (
            ("KEY", {"value": SECRET, "is_secret": True}),
            ("CITY", {"value": "Medan"}),
            ("TURNS", {"value": ["one", "two"], "mode": "sequential"}),
        ):
            await client.ask("update_variable", name=name, data=data)
        await client.ask("execute_workflow", job_id="r", workflow_data=WORKFLOW)
        assert (await client.finish("r"))["status_data"]["status"] == "SUCCEEDED"
        yield client


async def preview(client: Talker, text: str, **fields: Any) -> dict[str, Any]:
    answer = await client.ask("preview_expression", text=text, **fields)
    assert answer["type"] == "expression_preview_response", answer
    return answer


FROM_A = {"job_id": "r", "node_id": "b", "inputs": [{"node_id": "a", "port": "success"}]}


async def test_it_gives_what_the_step_was_given(owner: Talker) -> None:
    for text, result in (
        ("{{ data.city }}", "Bandung"),
        ("{{ data.people }}", 3),
        ("{{ data }}", {"city": "Bandung", "people": 3}),
        ("In {{ data.city }}: {{ data.people }}", "In Bandung: 3"),
        ("{{ nodes.Who.data.city }}", "Bandung"),
        ('{{ nodes."Which place".data.place }}', "Bandung"),
        ("{{ run.id }}", "r"),
        ("{{ vars.CITY }}", "Medan"),
        ("{{ data.nothing }}", None),
    ):
        found = await preview(owner, text, **FROM_A)
        assert (found["kind"], found["result"], found["has_input"]) == ("value", result, True), text
        assert (found["problem"], found["cut"]) == (None, False)


async def test_what_is_no_expression_is_told_apart(owner: Talker) -> None:
    plain = await preview(owner, "{{ mustache }}", **FROM_A)
    assert (plain["kind"], plain["result"]) == ("text", "{{ mustache }}")
    own = await preview(owner, "{{ data.city | upper }}", module_id="template", field="template", **FROM_A)
    assert (own["kind"], own["problem"]) == ("own", None)
    template = await preview(owner, "{% if data.city %}x{% endif %}", **FROM_A)
    assert (template["kind"], template["result"]) == ("statement", None)


async def test_what_is_wrong_is_said(owner: Talker) -> None:
    for text, words in (
        ("{{ data.city[ }}", "is not valid"),
        ("{{ sum(data.city) }}", "failed"),
        ("{% for x in %}{% endfor %}", "not valid"),
        ("{{ data.city }}" * 21, "more than 20 expressions"),
    ):
        found = await preview(owner, text, **FROM_A)
        assert found["result"] is None
        assert words in found["problem"], found["problem"]


async def test_a_pinned_result_goes_before_the_runs(owner: Talker) -> None:
    pin = {"node_id": "a", "name": "Who", "outputs": {"success": {"data": {"city": "Padang"}}}}
    pinned = FROM_A | {"results": [pin]}
    assert (await preview(owner, "{{ data.city }}", **pinned))["result"] == "Padang"
    assert (await preview(owner, "{{ nodes.Who.data.city }}", **pinned))["result"] == "Padang"
    alone = {"node_id": "b", "inputs": [{"node_id": "a", "port": "success"}], "results": [pin]}
    found = await preview(owner, "{{ data.city }}", **alone)
    assert (found["result"], found["has_input"]) == ("Padang", True)
    failing = alone | {"results": [pin | {"outputs": {"error": "no disk"}}]}
    assert (await preview(owner, "{{ data }}", **failing))["has_input"] is False


async def test_a_step_drawn_after_the_run_is_given_what_its_inputs_brought(owner: Talker) -> None:
    two = [{"node_id": "a", "port": "success"}, {"node_id": "b", "port": "success"}]
    found = await preview(owner, "{{ [data.city, data.place] }}", job_id="r", node_id="new", inputs=two)
    assert found["result"] == ["Bandung", "Bandung"]
    moved = await preview(owner, "{{ data.people }}", job_id="r", node_id="c", inputs=two[:1])
    assert moved["result"] == 3
    closed = [{"node_id": "b", "port": "error"}]
    unreached = await preview(owner, "{{ data }}", job_id="r", node_id="d", inputs=closed)
    assert unreached["has_input"] is False
    nothing = await preview(owner, "{{ vars.CITY }}", node_id="new")
    assert (nothing["result"], nothing["has_input"]) == ("Medan", False)


async def test_secrets_are_hidden_before_an_expression_sees_them(owner: Talker) -> None:
    to_c = {"job_id": "r", "node_id": "c", "inputs": [{"node_id": "b", "port": "success"}]}
    for text in (
        "{{ vars.KEY }}",
        "{{ reverse(vars.KEY) }}",
        "{{ data.key }}",
        "{{ reverse(data.key) }}",
        "{{ reverse(nodes.b.data.key) }}",
        "a {{ vars.KEY }} {{ payload }}",
    ):
        shown = str((await preview(owner, text, **to_c))["result"])
        assert "•••" in shown
        assert SECRET not in shown
        assert SECRET[::-1] not in shown


async def test_a_variable_that_gives_values_in_turn_gives_none_away(owner: Talker) -> None:
    for _ in range(3):
        assert (await preview(owner, "{{ vars.TURNS }}", **FROM_A))["result"] == "one"


async def test_a_large_answer_is_cut(owner: Talker) -> None:
    many = {
        "node_id": "a",
        "name": "Who",
        "outputs": {"success": {"list": list(range(5000)), "x": "y" * 9000}},
    }
    pinned = FROM_A | {"results": [many]}
    found = await preview(owner, "{{ data.list }}", **pinned)
    assert (found["cut"], found["result"]) == (True, list(range(200)))
    text = await preview(owner, "{{ data.x }}{{ data.x }}", **pinned)
    assert (text["cut"], text["result"]) == (True, "y" * 4000)
    twice = "{{ [data,data]|[@,@]|[@,@]|[@,@]|[@,@]|[@,@]|[@,@] }}"
    assert len(str(await preview(owner, twice, **pinned))) < 20_000
    endless = "{{ data.list[*].[" + "(" * 3 + "length(to_string(@))" + ")" * 3 + "] }}"
    assert (await preview(owner, endless, **pinned))["cut"] is True


async def test_only_who_may_see_the_run_may_use_its_data(owner: Talker) -> None:
    fields = {"text": "{{ data.city }}", **FROM_A}
    assert (await owner.ask("preview_expression", ADMIN, **fields))["result"] == "Bandung"
    for key in (RUNNER, READER):
        assert (await owner.ask("preview_expression", key, **fields))["code"] == "NOT_FOUND"
        assert (await owner.ask("preview_expression", key, text="{{ vars.CITY }}"))["result"] == "Medan"
    assert (await owner.ask("preview_expression", STRANGER, **fields))["code"] == "FORBIDDEN"
    assert (await owner.ask("preview_expression", text="x" * 20_001))["code"] == "INVALID_REQUEST"


async def test_nothing_runs_and_nothing_is_recorded(owner: Talker) -> None:
    before = await owner.ask("list_runs")
    run = await owner.ask("get_run", job_id="r")
    await preview(owner, "{{ data.city }}", **FROM_A)
    assert (await owner.ask("list_runs"))["runs"] == before["runs"]
    assert (await owner.ask("get_run", job_id="r"))["last_seq"] == run["last_seq"]
