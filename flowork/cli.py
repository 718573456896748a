"""The root of the command line: finds the verbs, translates errors to one line and an exit code."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
from typing_extensions import override

import flowork.commands
from flowork.dotenv import read_environment
from flowork.terminal.session import Terminal
from flowork.terminal.text import printable
from shared.errors import ERROR_TABLE, ErrorCode, FloworkError
from shared.ids import new_id
from shared.redact import redact_text

INTERRUPTED = 130
BROKEN_PIPE = 141


class Verbs(click.Group):
    """Loads the module of a verb when it is needed: the name of the module is the name of the verb."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the modules in `flowork.commands`, sorted."""
        return sorted(module.name for module in pkgutil.iter_modules(flowork.commands.__path__))

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb, or None when there is no module of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"flowork.commands.{cmd_name}").command
        return command

    @override
    def main(self, args: Sequence[str] | None = None, *others: Any, **settings: Any) -> NoReturn:
        """Run the command line and leave the process with its exit code."""
        words = list(sys.argv[1:] if args is None else args)
        given = [word for word in words if word != "--debug"]  # wherever it stands
        debug = len(given) < len(words) or bool(os.environ.get("FLOWORK_DEBUG"))
        settings["standalone_mode"] = False
        try:
            result = super().main(given, *others, **settings)
            sys.stdout.flush()
            sys.exit(result if isinstance(result, int) else 0)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (KeyboardInterrupt, click.Abort):
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            # Whoever read our output has gone; what Python still wants to flush at its end must not fail too.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(BROKEN_PIPE)
        except Exception as error:  # noqa: BLE001 - the edge: one line instead of a traceback
            sys.exit(_report(error, debug=debug))


def _report(error: Exception, *, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    if isinstance(error, FloworkError):
        click.echo(f"Error: {printable(redact_text(error.message))}", err=True)
        return error.meaning.exit
    hint = "" if debug else "; FLOWORK_DEBUG=1 shows more"
    click.echo(
        f"Error: something unexpected went wrong ({type(error).__name__}, incident {new_id()}){hint}.",
        err=True,
    )
    return ERROR_TABLE[ErrorCode.INTERNAL].exit


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--debug", is_flag=True, help="Show the traceback of an error (FLOWORK_DEBUG).")
@click.pass_context
def cli(context: click.Context, *, debug: bool) -> None:  # noqa: ARG001 - for --help; see Verbs.main
    """Flowork: automation on your own machine, signed by your own key.

    Start with `flowork demo`, keep it running with `flowork up`.
    """
    if context.obj is None:
        context.obj = Terminal(read_environment(Path.cwd(), os.environ))
