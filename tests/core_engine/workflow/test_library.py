"""Parsed workflows are kept as long as they are right and there is room."""

from __future__ import annotations

import pytest

from core_engine.workflow import library as module
from core_engine.workflow.library import Library
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.workshop import Add, Registry, chain, workflow


def test_the_same_workflow_is_parsed_once():
    library = Library(Registry())
    assert library.prepare(chain(3)) is library.prepare(chain(3))
    assert library.prepare(chain(3)) is not library.prepare(chain(2))


def test_a_changed_component_makes_a_new_graph():
    registry = Registry()
    library = Library(registry)
    first = library.prepare(chain(2))
    registry.components["add"] = Add()
    second = library.prepare(chain(2))
    assert second.graph.nodes[0].component is registry["add"]
    assert first is not second
    del registry.components["add"]
    with pytest.raises(FloworkError):
        library.prepare(chain(2))
    assert library.restore(second.graph.hash, second.body).graph.nodes[0].defect


def test_room_is_bounded_and_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch):
    library = Library(Registry())
    four, five, six = (Library(Registry()).prepare(chain(length)).weight for length in (4, 5, 6))
    monkeypatch.setattr(module, "_MOST_BYTES", four + six)
    kept = library.prepare(chain(4))
    library.prepare(chain(5))
    assert library._ready._weight == four + five
    assert library.prepare(chain(4)) is kept
    library.prepare(chain(6))
    assert library.prepare(chain(4)) is kept
    assert library._ready._weight == four + six
    assert len(library._ready._known) == 2


def test_names_are_remembered_only_of_what_is_kept(monkeypatch: pytest.MonkeyPatch):
    library = Library(Registry())
    weight = Library(Registry()).prepare(chain(5)).weight
    monkeypatch.setattr(module, "_MOST_BYTES", weight)
    for length in (4, 5, 4, 5):
        prepared = library.prepare(chain(length))
        shelf = library._ready
        assert shelf._names == {prepared.body: prepared.graph.hash}
        assert prepared.graph.hash == module.workflow_hash(prepared.body) == shelf.name_of(prepared.body)
    assert shelf.name_of(b"other") == module.workflow_hash(b"other")


def test_large_texts_count_as_many_nodes_do(monkeypatch: pytest.MonkeyPatch):
    """Few nodes can hold much: without this a thousand starts with large texts would fill the memory."""
    monkeypatch.setattr(module, "_MOST_BYTES", 1024 * 1024)
    library = Library(Registry())
    for number in range(20):
        large = chain(2)
        large["about"] = f"{number}" + "x" * 100_000
        last = library.prepare(large)
    assert library._ready._weight <= 1024 * 1024
    assert len(library._ready._known) == 1024 * 1024 // last.weight
    monkeypatch.setattr(module, "_MOST_BYTES", 10)
    assert library.prepare(last_one := chain(3)) is library.prepare(last_one)
    assert len(library._ready._known) == 1


def test_a_restored_workflow_is_the_kept_one_where_it_can_be():
    library = Library(Registry())
    prepared = library.prepare(chain(2))
    assert library.restore(prepared.graph.hash, b"") is prepared
    again = Library(Registry()).restore(prepared.graph.hash, prepared.body)
    assert [node.id for node in again.graph.nodes] == ["n0", "n1"]
    with pytest.raises(FloworkError) as caught:
        Library(Registry()).restore("x", b"[}")
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT


def test_a_workflow_is_restored_once_unless_something_is_wrong_with_it():
    registry = Registry()
    prepared = Library(registry).prepare(chain(2))
    library = Library(registry)
    restored = library.restore(prepared.graph.hash, prepared.body)
    assert library.restore(prepared.graph.hash, prepared.body) is restored
    assert library.prepare(chain(2)) is not restored, "what is started is checked in full"
    add = registry.components.pop("add")
    other = Library(registry)
    assert other.restore(prepared.graph.hash, prepared.body).graph.nodes[0].defect
    registry.components["add"] = add
    assert not other.restore(prepared.graph.hash, prepared.body).graph.nodes[0].defect


def test_what_is_no_json_is_a_wrong_workflow():
    with pytest.raises(FloworkError) as caught:
        Library(Registry()).prepare({"nodes": [{"id": "\ud800"}]})
    assert caught.value.code is ErrorCode.INVALID_WORKFLOW


def test_start_nodes_and_modes():
    prepared = Library(Registry()).prepare(workflow("a>b", a="add", b="effect"))
    assert (prepared.start_index(None), prepared.start_index("b")) == (None, 1)
    assert prepared.ahead(RunMode.EXECUTE) == (True, False)
    assert prepared.ahead(RunMode.SIMULATE) == (True, True)
    with pytest.raises(FloworkError, match="zz"):
        prepared.start_index("zz")
