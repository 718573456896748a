"""Draws the results as PNG: each ratio beside its goal, and how latencies are spread. With Pillow, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from benchmarks.figures import Row

FACTOR = 2  # drawn larger, then shrunk: smooth edges
WIDTH, MARGIN, LINE = 980, 24, 26
LABELS, BARS = 420, 330
INK, FAINT, GRID = "#1f2937", "#6b7280", "#d1d5db"
GOOD, BAD = "#0f766e", "#b45309"
LINES = ("#0f766e", "#b45309")
MOST_SHOWN = 2.0


def draw_ratios(rows: Sequence[Row], path: Path) -> None:
    """Draw how far each figure is from its goal: what reaches the line has met it."""
    shown = [row for row in rows if row.goal and not row.error]
    height = 2 * MARGIN + LINE * (len(shown) + 2)
    canvas = _Canvas(WIDTH, height)
    left, per_unit = MARGIN + LABELS, BARS / MOST_SHOWN
    goal = left + per_unit
    canvas.text(MARGIN, MARGIN, "How each figure stands to its goal (beyond the line: met)", INK)
    canvas.line((goal, MARGIN + LINE), (goal, height - MARGIN), FAINT)
    for place, row in enumerate(shown):
        top = MARGIN + LINE * (place + 2) - 6
        share = share_of_goal(row)
        # the font has no arrows
        canvas.text(MARGIN, top + 3, f"{row.id}  {row.work.replace('→', '>')}"[:62], INK)
        right = left + per_unit * min(share, MOST_SHOWN)
        canvas.box((left, top + 4), (right, top + LINE - 6), GOOD if row.passed else BAD)
        canvas.text(
            left + BARS + 12,
            top + 3,
            f"{row.ratio:.2f}  (goal: {'at least' if row.at_least else 'at most'} {row.goal:g})",
            INK,
        )
    canvas.save(path)


def share_of_goal(row: Row) -> float:
    """Return the ratio in units of its goal, above 1 when it is met whichever way it counts."""
    if row.at_least:
        return row.ratio / row.goal
    return row.goal / row.ratio if row.ratio else MOST_SHOWN


def draw_latency(row: Row, shares: Sequence[float], path: Path) -> None:
    """Draw percentiles of latencies against each other, the slowest hundredth with as much room as the rest."""
    height, bottom, left, right, top = 420, 360, 90, WIDTH - 40, 70
    canvas = _Canvas(WIDTH, height)
    most = max(max(values) for values in row.series.values()) * 1.05
    canvas.text(
        MARGIN,
        MARGIN,
        f"{row.work.rpartition(',')[0]}: ms by percentile, each server at half of its own rate",
        INK,
    )

    def at(share: float, value: float) -> tuple[float, float]:
        return left + (right - left) * _stretch(share), bottom - (bottom - top) * value / most

    for share in (0.0, 0.5, 0.9, 0.99, 0.999):
        x, _ = at(share, 0)
        canvas.line((x, top), (x, bottom), GRID)
        canvas.text(x - 14, bottom + 8, f"p{100 * share:g}", FAINT)
    for step in range(5):
        value = most * step / 4
        _, y = at(0, value)
        canvas.line((left, y), (right, y), GRID)
        canvas.text(MARGIN, y - 8, f"{value:.1f} ms", FAINT)
    for place, (name, values) in enumerate(row.series.items()):
        points = [at(share, value) for share, value in zip(shares, values, strict=True)]
        for one, other in pairwise(points):
            canvas.line(one, other, LINES[place], width=3)
        canvas.text(left + 12, top + 8 + 22 * place, name, LINES[place])
    canvas.save(path)


def _stretch(share: float) -> float:
    """Return a percentile's place on the axis: half of it for the first 90, the other half for the rest."""
    return share / 0.9 * 0.5 if share <= 0.9 else 0.5 + (share - 0.9) / 0.1 * 0.5


class _Canvas:
    """A picture in plain units, drawn larger than it is."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._image = Image.new("RGB", (width * FACTOR, height * FACTOR), "white")
        self._draw = ImageDraw.Draw(self._image)
        self._font = ImageFont.load_default(size=14 * FACTOR)

    def text(self, x: float, y: float, words: str, ink: str) -> None:
        self._draw.text((x * FACTOR, y * FACTOR), words, fill=ink, font=self._font)

    def line(self, one: tuple[float, float], other: tuple[float, float], ink: str, *, width: int = 1) -> None:
        ends = [(x * FACTOR, y * FACTOR) for x, y in (one, other)]
        self._draw.line(ends, fill=ink, width=width * FACTOR)

    def box(self, one: tuple[float, float], other: tuple[float, float], ink: str) -> None:
        self._draw.rectangle([(x * FACTOR, y * FACTOR) for x, y in (one, other)], fill=ink)

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._image.resize(self._size, Image.Resampling.LANCZOS).save(path, optimize=True)
