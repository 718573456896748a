"""One engine per data folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core_engine.storage import EngineStore
from core_engine.storage.lock import DataLock
from shared.errors import ErrorCode, FloworkError


def test_a_second_holder_is_refused_and_told_who_holds_it(tmp_path: Path):
    lock = DataLock(tmp_path / "engine.lock")
    with pytest.raises(FloworkError, match=f"process {os.getpid()}") as caught:
        DataLock(tmp_path / "engine.lock")
    assert caught.value.code is ErrorCode.CONFIGURATION
    lock.release()
    DataLock(tmp_path / "engine.lock").release()


def test_a_second_engine_leaves_the_epoch_alone(tmp_path: Path):
    store = EngineStore.open(tmp_path)
    with pytest.raises(FloworkError) as caught:
        EngineStore.open(tmp_path)
    assert caught.value.code is ErrorCode.CONFIGURATION
    assert store.epoch == 1
    store.close()
    again = EngineStore.open(tmp_path)
    assert again.epoch == 2
    again.close()
