"""The set-up scripts: an environment is made, and what cannot be done is said in one sentence."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parents[3] / "deploy" / "setup"


def run(python: str, script: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, str(SETUP / script), *words], env=environment or None, capture_output=True, text=True, check=False,
        timeout=100,
    )  # fmt: skip


def test_a_python_without_venv_names_the_debian_package(tmp_path: Path) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ImportError('cut out by the distribution')\n")
    done = run(sys.executable, "make_venv.py", str(tmp_path / "env"), PYTHONPATH=str(tmp_path))
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert done.returncode == 1
    assert done.stderr.endswith(f"sudo apt install python{version}-venv, then run make again.\n")
    assert not (tmp_path / "env").exists()


@pytest.mark.parametrize("newer", [True, False])
def test_an_old_python_hands_over_or_says_so(tmp_path: Path, newer: bool) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.version_info = (3, 9, 2)\n")
    if newer:
        pretender = tmp_path / "python3.12"
        pretender.write_text('#!/bin/sh\necho "handed over $*"\n')
        pretender.chmod(0o755)
    done = run(
        sys.executable,
        "make_venv.py",
        str(tmp_path / "env"),
        PYTHONPATH=str(tmp_path),
        PATH=f"{tmp_path}:/nowhere",
    )
    if newer:
        assert done.returncode == 0, done.stderr
        assert f"make_venv.py {tmp_path / 'env'}" in done.stdout
    else:
        assert done.returncode == 1
        assert "Python 3.9 is too old" in done.stderr


def test_an_installation_that_fails_shows_the_tools_last_lines(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    fast = python.with_name("uv")
    fast.write_text("#!/bin/sh\necho the fast one does not work; exit 1\n")
    fast.chmod(0o755)
    pip = next((tmp_path / "env" / "lib").glob("python*/site-packages")) / "pip"
    pip.mkdir()
    (pip / "__main__.py").write_text(
        "import sys; print('pip got', *sys.argv[1:]); sys.exit('config' not in sys.argv)\n"
    )
    wanted = tmp_path / "wanted.txt"
    wanted.write_text("flowork-no-such-package==1.0\n")
    done = run(str(python), "install.py", str(wanted))
    assert done.returncode == 1
    assert "installing 1 packages" in done.stdout
    assert "trying pip" in done.stdout
    words, verdict = done.stderr.splitlines()
    assert words.endswith(f"--require-hashes -r {wanted}")
    assert verdict == "flowork: the installation failed; see the last lines above"


def test_a_wrong_call_is_refused(tmp_path: Path) -> None:
    assert run(sys.executable, "install.py", str(tmp_path / "none.txt")).returncode == 1
    assert run(sys.executable, "make_venv.py").returncode == 1
