"""What is behind a picture, as a table: one row per point, bar, place on the axis, picture or step.

Numbers are written with a decimal point in every language, as many digits as tell them apart, and nothing
where there is no number.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from desktop.language import _, tr
from desktop.panels.loss_plot import LossPlot
from desktop.panels.panel import Panel
from desktop.panels.scatter import ScatterPanel
from engine.api import Arrows, Bars, Colours, Curve, Ellipses, Images, Markers, Payload, Points, Segments

if TYPE_CHECKING:
    from desktop.panels.trace import Trace

CHUNK = 2_000
"""Rows written at once: a few milliseconds."""
MOST_CELLS, MOST_COLUMNS = 2_000_000, 4_096
"""Pictures with more pixels than this are told by their captions only: no program would open such a table."""


class Column(Protocol):
    """Cells from top to bottom."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> Any: ...


class Rows:
    """The rows of a table, made while they are read: there may be a million.

    blocks: below each other, each a column for some of the header's names; what a block lacks stays empty.
    """

    def __init__(self, header: Sequence[str], blocks: Sequence[Mapping[str, Column]]) -> None:
        self._header, self._blocks = header, blocks

    def __len__(self) -> int:
        return sum(_high(block) for block in self._blocks)

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        for block in self._blocks:
            for start in range(0, _high(block), CHUNK):
                stop = min(start + CHUNK, _high(block))
                yield from zip(*(_cells(block.get(n, ()), start, stop) for n in self._header), strict=True)


Table = tuple[list[str], Rows]
"""The names of the columns, and the rows."""


def of_panel(panel: Panel) -> Table | None:
    """What ``panel`` shows; None when that is no data."""
    if isinstance(panel, LossPlot):
        return scalars([(title, trace, ghost) for _key, title, trace, ghost in panel.numbers()])
    colours = panel.canvas.colouring.chosen() if isinstance(panel, ScatterPanel) else None
    return table(panel.payload, colours)


def table(payload: Payload | None, colours: Colours | None = None) -> Table | None:
    """A payload as a table; None when there is none in it. colours: what its points are coloured by."""
    blocks: list[dict[str, Column]] = []
    if isinstance(payload, Points):
        blocks = _points(payload, colours)
    elif isinstance(payload, Curve):
        blocks = [_curve(payload)]
    elif isinstance(payload, Bars):
        blocks = [_bars(payload)]
    elif isinstance(payload, Images):
        blocks = [_images(payload)]
    return _joined(blocks) if blocks else None


def scalars(lines: Sequence[tuple[str, Trace, Trace | None]], step: str = "") -> Table | None:
    """Numbers over steps, each with its name and, if there is one, its ghost. step: what the first column is
    called, if not as people call it.
    """
    named: list[tuple[str, Trace]] = [(name, trace) for name, trace, _ghost in lines]
    named += [
        (tr(_("{name} (ghost)", name=name)), ghost)
        for name, _t, ghost in lines
        if ghost is not None and len(ghost)
    ]
    known = [trace.steps for _name, trace in named if len(trace)]
    if not known:
        return None
    steps = np.unique(np.concatenate(known))
    block: dict[str, Column] = {step or tr(_("step")): steps.astype(np.int64)}
    for name, trace in named:
        values = np.full(len(steps), np.nan)
        values[np.searchsorted(steps, trace.steps)] = trace.values
        block[_free(name, block)] = values
    return _joined([block])


def pieces(found: Table) -> Iterator[tuple[bytes, float]]:
    """The table as the bytes of a CSV file, little by little, each with how much is done then."""
    header, rows = found
    many = max(len(rows), 1)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    for done, row in enumerate(rows, 1):
        writer.writerow(row)
        if done % CHUNK == 0:
            yield text.getvalue().encode(), done / many
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode(), 1.0


# ── payloads ────────────────────────────────────────────────────────────────────────────────────────────────


def _points(points: Points, colours: Colours | None) -> list[dict[str, Column]]:
    """The points, and below them what lies on them: centres, ellipses, lines, arrows."""
    x, y = _axes(points)
    part, index, label, name = tr(_("part")), tr(_("index")), tr(_("label")), tr(_("name"))
    n = len(points.xy)
    cloud: dict[str, Column] = {index: np.arange(n), x: points.xy[:, 0], y: points.xy[:, 1]}
    if points.label is not None:
        cloud |= {label: points.label, name: _Names(points.names, points.label)}
    if points.classes is not None:
        cloud[tr(_("class"))] = points.classes
    if points.other is not None and points.share is not None:
        cloud |= {tr(_("second label")): points.other, tr(_("share of the first")): points.share}
    if colours is not None and colours.value is not None:
        cloud[_free(tr(colours.title), cloud)] = colours.value[:n]
    elif colours is not None and colours.label is not None:
        cloud[_free(tr(colours.title), cloud)] = _Names(colours.names, colours.label[:n])
    blocks = [cloud]
    for layer in points.layers:
        block: dict[str, Column] = {}
        if isinstance(layer, Markers):
            which = np.arange(len(layer.xy)) if layer.label is None else layer.label
            block = {part: [tr(_("centre"))] * len(layer.xy), x: layer.xy[:, 0], y: layer.xy[:, 1]}
            block |= {label: which, name: _Names(points.names, which)}
        elif isinstance(layer, Ellipses):
            many = len(layer.centre)
            block = {part: [tr(_("ellipse"))] * many, x: layer.centre[:, 0], y: layer.centre[:, 1]}
            if layer.label is not None:
                block |= {label: layer.label, name: _Names(points.names, layer.label)}
            for axis in (0, 1):  # its half axes, one standard deviation long
                for side, where in enumerate((x, y)):
                    block[tr(_("axis {number}, {where}", number=axis + 1, where=where))] = layer.axes[
                        :, side, axis
                    ]
        elif isinstance(layer, (Segments, Arrows)):
            what = _("line") if isinstance(layer, Segments) else _("arrow")
            block = {part: [tr(what)] * len(layer.start), x: layer.start[:, 0], y: layer.start[:, 1]}
            if isinstance(layer, Arrows):
                block[name] = [tr(each) for each in layer.names]
            elif layer.label is not None:
                block |= {label: layer.label, name: _Names(points.names, layer.label)}
            for side, where in enumerate((x, y)):
                block[tr(_("to {where}", where=where))] = layer.end[:, side]
        if block:
            blocks.append({index: np.arange(_high(block)), **block})
    if len(blocks) > 1:
        blocks[0] = {part: [tr(_("point"))] * n, **cloud}
    return blocks


def _axes(points: Points) -> tuple[str, str]:
    """What the two coordinates are called; those of a map have no names."""
    x, y = (tr(axis).strip() for axis in points.axes)
    return (x, y) if x and y and x != y else ("x", "y")


class _Names:
    """The name of each label, looked up when it is read."""

    def __init__(self, names: Sequence[str], labels: Column) -> None:
        self._names, self._labels = [tr(name) for name in names], np.asarray(labels)

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, part: slice) -> list[str]:
        names = self._names
        return [names[k] if 0 <= k < len(names) else "" for k in self._labels[part].tolist()]


def _curve(curve: Curve) -> dict[str, Column]:
    """The lines over their common axis; beside them what has places of its own."""
    block: dict[str, Column] = {tr(curve.axes[0]).strip() or "x": np.ravel(curve.x)}
    for name, line in curve.lines.items():
        block[_free(tr(name) or tr(curve.axes[1]) or "y", block)] = np.ravel(line)
    if curve.quiet is not None:
        for k, line in enumerate(np.atleast_2d(curve.quiet), 1):
            block[_free(tr(_("thin line {number}", number=k)), block)] = line
    if curve.histogram is not None:
        bars = tr(curve.histogram.name) or tr(_("bars"))
        edges = np.ravel(curve.histogram.edges)
        block[_free(tr(_("{name}, from", name=bars)), block)] = edges[:-1]
        block[_free(tr(_("{name}, to", name=bars)), block)] = edges[1:]
        block[_free(bars, block)] = np.ravel(curve.histogram.heights)
    if curve.rug is not None:
        block[_free(tr(_("ticks")), block)] = np.ravel(curve.rug)
    if curve.dots is not None:
        block[_free(tr(_("dots, x")), block)] = np.asarray(curve.dots)[:, 0]
        block[_free(tr(_("dots, y")), block)] = np.asarray(curve.dots)[:, 1]
    marks = [(mark.x, tr(mark.name)) for mark in curve.marks]
    marks += [] if curve.mark is None else [(curve.mark, "")]
    marks += [(handle.x, tr(handle.name)) for handle in curve.handles]
    if marks:
        block[_free(tr(_("marks")), block)] = np.array([x for x, _name in marks])
        block[_free(tr(_("marks, names")), block)] = [name for _x, name in marks]
    return block


def _bars(bars: Bars) -> dict[str, Column]:
    block: dict[str, Column] = {
        tr(_("name")): [tr(name) for name in bars.names],
        tr(bars.axis) or tr(_("value")): np.ravel(bars.values),
    }
    if bars.label is not None:
        block[_free(tr(_("label")), block)] = bars.label
    return block


def _images(images: Images) -> dict[str, Column]:
    """A row per picture: what is said of it, and its pixels from left to right and from top to bottom."""
    n = len(images.pixels)
    block: dict[str, Column] = {tr(_("index")): np.arange(n)}
    if images.items is not None:
        block[tr(_("item"))] = images.items
    if any(images.captions):
        block[tr(_("caption"))] = [tr(caption) for caption in images.captions]
    if images.columns and any(images.rows):
        titles = [tr(title) for title in images.rows]
        block[tr(_("row"))] = [
            titles[i // images.columns] if i // images.columns < len(titles) else "" for i in range(n)
        ]
    if images.label is not None:
        block[tr(_("label"))] = images.label
    pixels = np.asarray(images.pixels).reshape(n, -1) if n else np.empty((0, 0))
    if pixels.shape[1] <= MOST_COLUMNS and pixels.size <= MOST_CELLS:
        high, wide = images.pixels.shape[1:3]
        inks = [" r", " g", " b"] if pixels.shape[1] == 3 * high * wide else [""]
        places = [f"{y}:{x}{ink}" for y in range(high) for x in range(wide) for ink in inks]
        block |= dict(zip(places, pixels.T, strict=False))
    return block


# ── cells ───────────────────────────────────────────────────────────────────────────────────────────────────


def _joined(blocks: Sequence[Mapping[str, Column]]) -> Table:
    header = list(dict.fromkeys(name for block in blocks for name in block))
    return header, Rows(header, blocks)


def _free(name: str, taken: Mapping[str, Column]) -> str:
    """``name``, or with a number behind it if there is such a column."""
    found, k = name, 1
    while found in taken:
        k += 1
        found = f"{name} {k}"
    return found


def _high(block: Mapping[str, Column]) -> int:
    return max((len(column) for column in block.values()), default=0)


def _cells(column: Column, start: int, stop: int) -> list[str]:
    """Some of a column, as text; nothing beyond its end."""
    part = column[start:stop]
    if isinstance(part, np.ndarray) and part.dtype.kind == "f":
        said = ["" if value != value else str(value) for value in part]
    else:
        said = [str(value) for value in part]
    return said + [""] * (stop - start - len(said))
