"""The components that choose, wait, show and change data."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import ValidationError

from core_engine.kernel.component import Component
from core_engine.kernel.payload import Payload
from shared.contract.run import RunMode


async def test_if_takes_one_of_two_ways_and_keeps_the_payload(run) -> None:
    payload = Payload({"n": 5}, ["earlier"])
    for right, port in ((5, "true"), (6, "false")):
        result = await run("if_condition", {"left": 5, "operator": "==", "right": right}, payload)
        assert result.outputs == {port: payload}


def test_if_refuses_an_unknown_operator(registry) -> None:
    with pytest.raises(ValidationError):
        registry.find("if_condition").parse_config({"operator": "almost"})


RULES = [
    {"port": "server", "operator": "starts_with", "right": "5"},
    {"port": "bad", "operator": ">=", "right": 400},
    {"port": "other", "left": "x", "operator": "==", "right": "x"},
]


@pytest.mark.parametrize(
    ("value", "mode", "ports"),
    [
        ("503", "first", ["server"]),
        ("404", "first", ["bad"]),
        ("200", "first", ["other"]),
        ("503", "all", ["server", "bad", "other"]),
    ],
)
async def test_switch_opens_the_ports_whose_rules_fit(run, value: str, mode: str, ports: list[str]) -> None:
    result = await run("switch", {"value": value, "rules": RULES, "mode": mode}, {"a": 1})
    assert list(result.outputs) == ports
    assert {payload.data["a"] for payload in result.outputs.values()} == {1}


async def test_switch_falls_back_to_otherwise(run) -> None:
    assert list((await run("switch", {"value": "200", "rules": RULES[:2]})).outputs) == ["otherwise"]


def test_switch_shows_a_port_for_each_rule(registry) -> None:
    switch = registry.find("switch")
    ports = switch.output_ports(switch.parse_config({"rules": RULES}))
    assert [port.name for port in ports] == ["server", "bad", "other", "otherwise", "error"]
    assert type(switch).output_ports is not Component.output_ports


@pytest.mark.parametrize(
    "names", [["a", "a"], ["otherwise"], ["error"], ["success"], ["Default"], ["../x"], [""]]
)
def test_switch_refuses_port_names_that_would_mislead(registry, names: list[str]) -> None:
    with pytest.raises(ValidationError):
        registry.find("switch").parse_config({"rules": [{"port": name} for name in names]})


async def test_delay_waits_in_earnest_only(run) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    assert (await run("delay", {"seconds": 0.05}, {"a": 1})).outputs["success"].data == {"a": 1}
    assert loop.time() - started >= 0.05
    result = await run("delay", {"seconds": 3600}, {"a": 1}, mode=RunMode.SIMULATE)
    assert result.outputs["success"].data == {"a": 1}
    assert loop.time() - started < 30


async def test_popup_shows_and_passes_on(run, step) -> None:
    payload = Payload({"a": 1}, ["h"])
    config = {"popup_title": "T", "show_metadata": True, "theme_mode": "Dark", "auto_close_seconds": 3}
    assert (await run("debug_popup_module", config, payload)).outputs == {"success": payload}
    ((title, content, look),) = step.popups
    assert (title, content) == ("T", {"a": 1})
    assert (look["theme_mode"], look["auto_close_seconds"]) == ("Dark", 3)
    assert look["metadata"]["node_name"] == "The step"


async def test_popup_shows_a_chosen_content_and_cuts_a_huge_one(run, step) -> None:
    await run("debug_popup_module", {"content": "only this"}, {"a": 1})
    await run("debug_popup_module", {}, {"list": ["é" * 1000] * 400})
    assert step.popups[0][1] == "only this"
    assert len(step.popups[1][1]) < 5000
    assert "bytes in all" in step.popups[1][1]


async def test_static_data_is_merged_into_what_came(run) -> None:
    config = {
        "variables_to_set": [
            {"name": "city", "value": "Bandung"},
            {"name": "n", "value": "2", "type": "number"},
        ]
    }
    result = await run("static_data_provider_module", config, Payload({"city": "x", "kept": True}, ["h"]))
    assert result.outputs["success"] == Payload({"city": "Bandung", "kept": True, "n": 2}, ["h"])
    assert (await run("static_data_provider_module", config, [1])).outputs["success"].data == {
        "city": "Bandung",
        "n": 2,
    }


async def test_fields_are_set_and_removed_without_touching_the_original(run) -> None:
    data = {"a": {"b": 1, "c": 2}, "password": "p", "list": [1]}
    config = {
        "fields": [{"name": "a.d.e", "value": 3}, {"name": "list.x", "value": 4}],
        "remove": "password, a.b, none.at.all",
    }
    result = await run("set_fields", config, data)
    assert result.outputs["success"].data == {"a": {"c": 2, "d": {"e": 3}}, "list": {"x": 4}}
    assert data == {"a": {"b": 1, "c": 2}, "password": "p", "list": [1]}
    config["keep_input"] = False
    assert (await run("set_fields", config, data)).outputs["success"].data == {
        "a": {"d": {"e": 3}},
        "list": {"x": 4},
    }
