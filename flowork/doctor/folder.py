"""Judges the data folder: whose it is and who else can read it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from flowork.doctor.finding import Finding, Level, judge
from flowork.supervisor.secrets import FILE

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_TOPIC = "data folder"


def check_folder(data_dir: Path) -> list[Finding]:
    """Judge the folder and the secrets in it."""
    try:
        status = data_dir.stat()
    except FileNotFoundError:
        return [Finding(_TOPIC, Level.NOTE, f"{data_dir} does not exist yet; `flowork up` makes it")]
    except OSError as error:
        return [
            Finding(_TOPIC, Level.FAIL, f"{data_dir}: {error.strerror}", "Choose another FLOWORK_DATA_DIR.")
        ]
    findings = [
        judge(
            _TOPIC,
            f"{data_dir}, mode {stat.S_IMODE(status.st_mode):04o}",
            good=not status.st_mode & _OTHERS,
            advice=f"Others can look into it; chmod 700 {data_dir}",
        )
    ]
    if not os.access(data_dir, os.W_OK | os.X_OK):
        findings.append(
            Finding(_TOPIC, Level.FAIL, f"{data_dir} is not writable", "Give it to the user who runs this.")
        )
    return findings + _check_secrets(data_dir / FILE)


def _check_secrets(file: Path) -> list[Finding]:
    if not file.is_file():
        return []
    mode = file.stat().st_mode
    return [
        judge(
            "secrets",
            f"{file}, mode {stat.S_IMODE(mode):04o}",
            good=not mode & _OTHERS,
            advice=f"Others can read the platform's secrets; chmod 600 {file}",
            otherwise=Level.FAIL,
        )
    ]
