"""What the engine keeps on disk: the journal, its large payloads and a few small values, all crash-safe."""

from core_engine.storage.reader import RunFilter, RunJournal
from core_engine.storage.rows import (
    BlobRow,
    EventWaitRow,
    ParkedRow,
    RunRow,
    SegmentRow,
    WorkflowRow,
    Write,
    segment_key,
)
from core_engine.storage.store import EngineStore

__all__ = [
    "BlobRow",
    "EngineStore",
    "EventWaitRow",
    "ParkedRow",
    "RunFilter",
    "RunJournal",
    "RunRow",
    "SegmentRow",
    "WorkflowRow",
    "Write",
    "segment_key",
]
