"""What `flowork up` tells about a platform that runs."""

from __future__ import annotations

from flowork.terminal.session import Terminal
from flowork.terminal.text import printable


def show_places(terminal: Terminal, page: str, socket: str, data_dir: str) -> None:
    """Say where the platform is and how to stop it."""
    terminal.say("Flowork is up.", style="bold green")
    for label, value in (("Open", page), ("Engine", socket), ("Data", data_dir)):
        terminal.say(f"  {label:<8}{value}")
    terminal.say("  Stop    Ctrl-C")


def show_claim(terminal: Terminal, link: str) -> None:
    """Say how to become the owner of the engine."""
    terminal.say("The engine has no owner yet. Open this link once, with the identity that is to own it:")
    terminal.say(f"  {link}", style="bold cyan")
    terminal.say(f"or, on the command line: flowork claim '{link}'")


def show_owner(terminal: Terminal, owner: str) -> None:
    """Say whose the engine is."""
    terminal.say(f"  Owner   {printable(owner)}")
