"""Hosts that are opened: each entry means the connections it names and none besides."""

from __future__ import annotations

import pytest

from core_engine.components.isolation.hosts import Host, Hosts, plain_name


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("example.org", Host("example.org", below=False, port=None)),
        ("*.example.org", Host("example.org", below=True, port=None)),
        ("example.org:1", Host("example.org", below=False, port=1)),
        ("*.example.org:65535", Host("example.org", below=True, port=65_535)),
        ("127.0.0.1:8080", Host("127.0.0.1", below=False, port=8080)),
        ("a", Host("a", below=False, port=None)),
    ],
)
def test_an_entry_is_a_name_perhaps_all_below_it_and_a_port(text: str, read: Host) -> None:
    assert Host.read(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "", "*", "*.", "Example.org", "example.org.", "-a", "a-", "a..b:", "a:", "a:0", "a:65536", "a:99999",
        "a:123456", "a:-1", "a:\u0661", "http://a", "a/b", "a b", "*.*.a", "a.*", "::1", "[::1]", "a\n", "a" * 253,
    ],
)  # fmt: skip
def test_what_is_no_entry_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a host|has no port"):
        Host.read(text)


def test_without_a_port_those_of_the_web_are_meant_and_with_one_it_alone() -> None:
    assert [port for port in (22, 79, 80, 81, 443, 444, 8080) if Host.read("a").covers("a", port)] == [
        80,
        443,
    ]
    assert [port for port in (80, 443, 8079, 8080, 8081) if Host.read("a:8080").covers("a", port)] == [8080]


def test_a_name_is_itself_and_one_with_a_star_is_all_below_it_but_not_itself() -> None:
    names = ["a.org", "b.a.org", "c.b.a.org", "ba.org", "a.org.b", "org", "b.aorg"]
    assert [name for name in names if Host.read("a.org").covers(name, 443)] == ["a.org"]
    assert [name for name in names if Host.read("*.a.org").covers(name, 443)] == ["b.a.org", "c.b.a.org"]


def test_any_of_several_entries_is_enough_and_none_opens_nothing() -> None:
    hosts = Hosts.read(["a.org", "a.org", "*.b.org:8080"])
    assert [entry.name for entry in hosts.entries] == ["a.org", "b.org"]
    assert hosts
    assert hosts.cover("a.org", 443)
    assert hosts.cover("x.b.org", 8080)
    assert not hosts.cover("x.b.org", 443)
    assert not hosts.cover("c.org", 443)
    assert not Hosts()
    assert not Hosts().cover("a.org", 443)


def test_a_name_is_compared_in_small_letters_and_without_its_last_dot() -> None:
    assert plain_name("Example.ORG.") == "example.org"
    assert plain_name("a_b.c-d") == "a_b.c-d"
    assert plain_name("a" * 253) == "a" * 253
    for odd in (
        "",
        ".",
        "a..b",
        "a.org..",
        "-a",
        "a-",
        "a b",
        "a\x00b",
        "\u0430.org",
        "a/b",
        "a:80",
        "a" * 254,
    ):
        with pytest.raises(ValueError, match="is not the name of a host"):
            plain_name(odd)
