"""What the demonstration works on: the example workflow, a log file, and a fresh folder for everything."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from shared.errors import ErrorCode, FloworkError

FOLDER = Path("var/demo")
WORKFLOW = "web-log-report.json"
LOG = "data/access.log"
INPUTS = "input"
REPORT = "report.md"
_PACKAGE = Path(__file__).resolve().parents[1]
_PLACES = (_PACKAGE.parent / "examples", _PACKAGE / "examples")


def example(name: str) -> Path:
    """Return a file of the examples, which come with a checkout and inside the installed package."""
    for place in _PLACES:
        if (place / name).is_file():
            return place / name
    raise FloworkError(
        ErrorCode.NOT_FOUND,
        f"The example {name} is not part of this installation; run the demo from a checkout of the source.",
    )


@dataclass(frozen=True, slots=True)
class Workplace:
    """The demo's folder: data of the services, files of the workflow, logs."""

    folder: Path

    @property
    def data(self) -> Path:
        """Where gateway and engine keep their things."""
        return self.folder / "data"

    @property
    def files(self) -> Path:
        """The only folder that the workflow may read and write."""
        return self.folder / "files"

    @property
    def logs(self) -> Path:
        """Where the services' logs go."""
        return self.folder / "logs"

    def clear(self) -> None:
        """Make the folder fresh; what an earlier demo left goes."""
        if self.folder.is_symlink() or (self.folder.exists() and not self.folder.is_dir()):
            raise FloworkError(
                ErrorCode.CONFLICT, f"{self.folder} is not a folder; the demo will not replace it."
            )
        shutil.rmtree(self.folder, ignore_errors=True)
        for folder in (self.data, self.files, self.logs):
            folder.mkdir(parents=True, mode=0o700)

    def take_in(self, source: Path) -> str:
        """Copy the log into the files folder, so that the workflow sees this file and nothing beside it.

        Return its path as the workflow knows it.
        """
        name = source.name.lstrip(".") or "access.log"
        copy = self.files / INPUTS / name
        copy.parent.mkdir(mode=0o700)
        try:
            shutil.copyfile(source, copy)
        except FileNotFoundError as error:
            raise FloworkError(ErrorCode.NOT_FOUND, f"There is no file {source}.") from error
        except (OSError, shutil.Error) as error:
            raise FloworkError(ErrorCode.INVALID_REQUEST, f"Cannot read {source}: {error}.") from error
        return f"{INPUTS}/{name}"

    def forget_data(self) -> None:
        """Delete everything but the files."""
        for folder in (self.data, self.logs):
            shutil.rmtree(folder, ignore_errors=True)
