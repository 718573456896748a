"""What changed between two workflows: node by node, connection by connection, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from shared.contract.preset import PresetChange

Subject = Literal["node", "connection", "setting"]
_LISTS: tuple[tuple[str, Subject], ...] = (("nodes", "node"), ("connections", "connection"))


def compare_workflows(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[PresetChange]:
    """Return every difference: nodes first, then connections, then the other members of the workflow.

    ``path`` is a JSON pointer inside the node, connection or setting; empty when the whole came or went.
    """
    changes: list[PresetChange] = []
    compared: set[str] = set()
    for member, subject in _LISTS:
        old, new = (_by_id(side.get(member), subject) for side in (before, after))
        if old is not None and new is not None:
            compared.add(member)
            changes += _compare_items(subject, old, new)
    old_rest, new_rest = (
        {key: value for key, value in side.items() if key not in compared} for side in (before, after)
    )
    return changes + _compare_items("setting", old_rest, new_rest)


def _compare_items(
    subject: Subject, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[PresetChange]:
    changes: list[PresetChange] = []
    for key in dict.fromkeys((*before, *after)):
        if key not in after:
            changes.append(PresetChange(kind="removed", subject=subject, id=key, path="", before=before[key]))
        elif key not in before:
            changes.append(PresetChange(kind="added", subject=subject, id=key, path="", after=after[key]))
        else:
            changes += _compare_values(subject, key, before[key], after[key])
    return changes


def _compare_values(subject: Subject, key: str, before: Any, after: Any) -> list[PresetChange]:
    return [
        PresetChange(kind=kind, subject=subject, id=key, path=path, before=old, after=new)
        for kind, path, old, new in _differences(before, after, "")
    ]


def _differences(
    before: Any, after: Any, path: str
) -> Iterator[tuple[Literal["added", "removed", "changed"], str, Any, Any]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            place = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
            if key not in after:
                yield "removed", place, before[key], None
            elif key not in before:
                yield "added", place, None, after[key]
            else:
                yield from _differences(before[key], after[key], place)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(old, new, f"{path}/{index}")
    elif isinstance(before, bool) is not isinstance(after, bool) or before != after:
        yield "changed", path, before, after


def _by_id(items: Any, subject: Subject) -> dict[str, Any] | None:
    """Return nodes or connections by their id, or None where they cannot be told apart."""
    found: dict[str, Any] = {}
    for item in items if isinstance(items, Sequence) and not isinstance(items, str) else (None,):
        name = _identity(item, subject)
        if name is None or name in found:
            return None
        found[name] = item
    return found


def _identity(item: Any, subject: Subject) -> str | None:
    if not isinstance(item, Mapping):
        return None
    name = item.get("id")
    if isinstance(name, str) and name:
        return name
    if subject == "connection":
        ends = [item.get("source", item.get("from")), item.get("target", item.get("to"))]
        ports = [
            item.get("source_port_name", item.get("sourceHandle")),
            item.get("target_port_name", item.get("targetHandle")),
        ]
        return "→".join(f"{end}:{port or ''}" for end, port in zip(ends, ports, strict=True))
    return None
