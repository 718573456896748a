"""What workflows may do only where the engine's owner wants it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Switches:
    """What the engine's owner has switched on; all of it is off otherwise."""

    shell_commands: bool = False
    docker_containers: bool = False
