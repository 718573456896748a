"""Settings: read once, every problem named, secrets not shown."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from core_engine.settings import PREFIXES as ENGINE_PREFIXES
from core_engine.settings import EngineSettings
from gateway.settings import FOREIGN, GatewaySettings
from gateway.settings import PREFIXES as GATEWAY_PREFIXES
from shared.errors import ErrorCode, FloworkError
from shared.settings import SettingsGroup, describe, load, reveal, setting


class Server(SettingsGroup):
    """Where it listens."""

    port: int = setting(8000, env="TEST_PORT", description="The port.", ge=0, le=65535)
    fast: bool = setting(False, env="TEST_FAST", description="Whether to hurry.")


class Secrets(SettingsGroup):
    """What nobody may see."""

    token: SecretStr | None = setting(None, env="TEST_TOKEN", description="The token.", secret=True)


class Settings(BaseModel):
    """All of it."""

    server: Server
    secrets: Secrets


def read(environ: dict[str, str], foreign: frozenset[str] = frozenset()) -> Settings:
    return load(Settings, environ, prefixes=("TEST_",), foreign=foreign)


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(FloworkError) as caught:
        read(environ)
    assert caught.value.code is ErrorCode.CONFIGURATION
    assert caught.value.message == "; ".join(caught.value.details)
    return list(caught.value.details)


def test_defaults_and_given_values() -> None:
    assert read({}).server.port == 8000
    settings = read({"TEST_PORT": "0", "TEST_FAST": "true", "TEST_TOKEN": "abc", "OTHER": "x"})
    assert (settings.server.port, settings.server.fast) == (0, True)
    assert (reveal(settings.secrets.token), reveal(None)) == ("abc", "")
    assert "abc" not in repr(settings)


def test_an_empty_value_counts_as_absent() -> None:
    assert read({"TEST_PORT": "", "TEST_TOKEN": ""}) == read({})


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        read({}).server.port = 1


def test_an_unknown_name_is_refused_with_the_nearest_known_one() -> None:
    assert problems({"TEST_PROT": "1"}) == ["unknown setting TEST_PROT, did you mean TEST_PORT?"]
    assert problems({"TEST_ZZZZZZZZ": "1"}) == ["unknown setting TEST_ZZZZZZZZ"]
    assert read({"TEST_ZZZZZZZZ": "1"}, frozenset({"TEST_ZZZZZZZZ"})) == read({})


def test_every_problem_is_named_at_once_without_the_values() -> None:
    found = problems({"TEST_PORT": "99999", "TEST_FAST": "maybe", "TEST_NEW": "hidden"})
    assert [problem.split(":")[0].split(",")[0] for problem in found] == [
        "unknown setting TEST_NEW",
        "TEST_PORT",
        "TEST_FAST",
    ]
    assert "99999" not in str(found)
    assert "hidden" not in str(found)


def test_the_description_of_every_setting() -> None:
    docs = {doc.env: doc for doc in describe(Settings)}
    assert list(docs) == ["TEST_PORT", "TEST_FAST", "TEST_TOKEN"]
    assert (docs["TEST_PORT"].group, docs["TEST_PORT"].default, docs["TEST_FAST"].default) == (
        "server",
        "8000",
        "false",
    )
    assert (docs["TEST_TOKEN"].secret, docs["TEST_TOKEN"].default, docs["TEST_TOKEN"].required) == (
        True,
        "",
        False,
    )


def test_a_setting_without_description_is_our_mistake() -> None:
    class Bare(SettingsGroup):
        x: int = 1

    class Wrong(BaseModel):
        bare: Bare

    class NoGroup(BaseModel):
        x: int

    for model in (Wrong, NoGroup):
        with pytest.raises(TypeError):
            describe(model)


def test_both_services_read_one_environment_file() -> None:
    environ = {
        "GATEWAY_URL": "http://gateway:8000",
        "GATEWAY_SECRET_TOKEN": "flork_sec_x",
        "ENGINE_HTTP_PORT": "1",
    }
    engine = load(EngineSettings, environ, prefixes=ENGINE_PREFIXES)
    gateway = load(GatewaySettings, environ, prefixes=GATEWAY_PREFIXES, foreign=FOREIGN)
    assert reveal(engine.link.service_secret) == reveal(gateway.security.service_secret) == "flork_sec_x"
    names = [doc.env for doc in describe(EngineSettings)]
    assert len(names) == len(set(names))
