"""Entry point of ``flowork`` and ``python -m flowork``."""

from __future__ import annotations

from flowork.cli import cli


def main() -> None:
    """Run the command line."""
    cli(prog_name="flowork")


if __name__ == "__main__":
    main()
