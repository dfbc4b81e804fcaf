"""A hand-out as one page of HTML that needs nothing else: no net, no script, no second file.

Whatever comes from outside (names of files, of runs, of classes) is text and is written as such. The page's
own policy forbids everything but the pictures and the style in it.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from desktop.share.graphs import formula
from desktop.style.tokens import (
    CLASSES_DARK,
    CLASSES_LIGHT,
    CURVES_DARK,
    CURVES_LIGHT,
    DARK,
    LIGHT,
    Colours,
)

LARGER = 1.4
"""How much larger than on the screen a picture may be, where there is room."""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True)
class Picture:
    """line: what it shows. png: the file itself. wide: how many pixels it has on the screen."""

    title: str
    line: str
    png: bytes
    wide: int


@dataclass(frozen=True, slots=True)
class Moment:
    """A step of the run, and what was seen then. wide: the pictures need room."""

    title: str
    pictures: Sequence[Picture]
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves. title: what several have in common, or "". legend: the colour (of :mod:`graphs`), the name and
    the last value of each.
    """

    title: str
    svg: str
    legend: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Run:
    """One of the runs that have grown from one start. begin, end: where it lies between 0 and the newest step
    of all, 0..1. depth: how many it has branched off from.
    """

    name: str
    steps: str
    done: str
    begin: float
    end: float
    depth: int
    active: bool


@dataclass(frozen=True, slots=True)
class Table:
    """notes: something small below the first cell of each row, or ""."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Again:
    """How to do it again. script: under the words ``unfold``; ``name`` is what its file may be called."""

    sentences: Sequence[str]
    command: str
    unfold: str
    script: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything but the pictures, already in the reader's language. heads: the titles of the parts."""

    language: str
    title: str
    question: str
    facts: Sequence[tuple[str, str]]
    heads: Heads
    charts: Sequence[Chart]
    settings: Table
    done: Table | None
    runs: Sequence[Run]
    lesson: str
    again: Again
    foot: str


@dataclass(frozen=True, slots=True)
class Heads:
    """What the parts are called."""

    pictures: str
    moments: str
    curves: str
    settings: str
    done: str
    runs: str
    lesson: str
    again: str


def write(page: Page, pictures: Sequence[Picture], moments: Sequence[Moment]) -> Iterator[str]:
    """The file, part by part."""
    heads = page.heads
    yield _head(page)
    yield _part("pictures", heads.pictures, _pictures(pictures, page.title))
    if len(moments) > 1:
        yield _part("moments", heads.moments, "".join(_moment(m, page.title) for m in moments))
    if page.charts:
        yield _part("curves", heads.curves, "".join(map(_chart, page.charts)))
    if page.settings.rows:
        yield _part("settings", heads.settings, _table(page.settings))
    if page.done is not None:
        yield _part("done", heads.done, _table(page.done))
    if page.runs:
        yield _part("runs", heads.runs, "".join(map(_run, page.runs)))
    if page.lesson.strip():
        yield _part("lesson", heads.lesson, lesson(page.lesson))
    yield _part("again", heads.again, _again(page.again))
    yield f"</main>\n<footer>{escape(page.foot)}</footer>\n</body>\n</html>\n"


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────


def _head(page: Page) -> str:
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in page.facts
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(page.language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="generator" content="Latentarium">\n'
        f"<title>{escape(page.title)}</title>\n<style>{style()}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>{escape(page.title)}</h1>\n<p class='question'>{escape(page.question)}</p>\n"
        f"<dl>{facts}</dl>\n</header>\n<main>\n"
    )


def _part(name: str, title: str, body: str) -> str:
    return f'<section id="{name}">\n<h2>{escape(title)}</h2>\n<div class="body">{body}</div>\n</section>\n'


def _pictures(pictures: Sequence[Picture], about: str) -> str:
    return "".join(_figure(picture, about) for picture in pictures)


def _moment(moment: Moment, about: str) -> str:
    shown = "".join(
        _image(picture, f"{about}, {picture.title}, {moment.title}") for picture in moment.pictures
    )
    wide = ' class="wide"' if moment.wide else ""
    return f"<figure{wide}>{shown}<figcaption><b>{escape(moment.title)}</b></figcaption></figure>\n"


def _figure(picture: Picture, about: str) -> str:
    image = _image(picture, f"{about}, {picture.title}")
    return f"<figure>{image}<figcaption>{escape(picture.line)}</figcaption></figure>\n"


def _image(picture: Picture, words: str) -> str:
    data = base64.b64encode(picture.png).decode()
    size = f'style="max-width:{picture.wide * LARGER:.0f}px"'
    return f'<img alt="{escape(words)}" {size} src="data:image/png;base64,{data}">'


def _chart(chart: Chart) -> str:
    title = f"<strong>{escape(chart.title)}</strong> " if chart.title else ""
    words = title + " ".join(
        f'<span style="color:var(--{colour})"><b>{escape(name)}</b> {escape(value)}</span>'
        for colour, name, value in chart.legend
    )
    return f"<figure><figcaption>{words}</figcaption>{chart.svg}</figure>\n"


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(word)}</th>' for word in table.head)
    rows = []
    for index, row in enumerate(table.rows):
        note = table.notes[index] if index < len(table.notes) else ""
        first = escape(row[0]) + (f"<small>{escape(note)}</small>" if note else "")
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        rows.append(f'<tr><th scope="row">{first}</th>{cells}</tr>\n')
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{''.join(rows)}</tbody>\n</table>\n"


def _run(run: Run) -> str:
    """A row of the tree: its name, a bar over the steps it has gone, and what was done in it."""
    begin, wide = 100 * run.begin, 100 * max(run.end - run.begin, 0.01)
    active = " active" if run.active else ""
    done = f'<div class="done">{escape(run.done)}</div>' if run.done else ""
    return (
        f'<div class="run{active}"><div class="name" style="padding-left:{run.depth:d}em">'
        f"<b>{escape(run.name)}</b> <small>{escape(run.steps)}</small></div>"
        f'<div class="lane"><div style="margin-left:{begin:.1f}%;width:{wide:.1f}%"></div></div>'
        f"{done}</div>\n"
    )


def _again(again: Again) -> str:
    words = "".join(f"<p>{escape(sentence)}</p>\n" for sentence in again.sentences)
    command = f"<pre><code>{escape(again.command)}</code></pre>\n" if again.command else ""
    script = (
        f"<details><summary>{escape(again.unfold)}</summary>"
        f"<pre><code>{escape(again.script)}</code></pre></details>\n"
        if again.script
        else ""
    )
    return words + command + script


# ── the lesson ──────────────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def _markdown() -> Any:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    made: Any = MarkdownIt("commonmark", {"html": False}).use(dollarmath_plugin, double_inline=True)
    made.disable("image")
    rules = made.renderer.rules
    rules["math_inline"] = lambda tokens, index, *_rest: formula(tokens[index].content, inline=True)
    rules["math_inline_double"] = rules["math_block"] = lambda tokens, index, *_rest: (
        f'<p class="display">{formula(tokens[index].content, inline=False)}</p>'
    )
    # There is nothing to press on paper, and no link leads out of the page.
    rules["link_open"] = lambda *_rest: "<b>"
    rules["link_close"] = lambda *_rest: "</b>"
    return made


def lesson(markdown: str) -> str:
    """A lesson as HTML, its formulas drawn."""
    return str(_markdown().render(markdown))


# ── how it looks ────────────────────────────────────────────────────────────────────────────────────────────


def _colours(theme: Colours, curves: Sequence[str], classes: Sequence[str]) -> str:
    named = {
        "window": theme.window, "surface": theme.surface, "raised": theme.raised, "line": theme.line,
        "text": theme.text, "quiet": theme.quiet, "accent": theme.accent, "grid": theme.grid,
        "flag": theme.flag,
        **{f"c{i}": colour for i, colour in enumerate(curves)},
        **{f"k{i}": colour for i, colour in enumerate(classes)},
    }  # fmt: skip
    return "".join(f"--{name}:{colour};" for name, colour in named.items())


def style() -> str:
    """The page's style sheet: by day, by night, on a telephone and on paper."""
    day = _colours(LIGHT, CURVES_LIGHT, CLASSES_LIGHT)
    night = _colours(DARK, CURVES_DARK, CLASSES_DARK)
    return f"""
:root {{ color-scheme: light dark; {day} }}
@media (prefers-color-scheme: dark) {{ :root {{ {night} }} }}
* {{ box-sizing: border-box; }}
html {{ -webkit-text-size-adjust: 100%; }}
body {{ margin: 0 auto; max-width: 66rem; padding: 1.5rem 1.1rem 3rem; background: var(--window);
  color: var(--text); font: 1rem/1.55 Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }}
h1 {{ font-size: 2rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }}
h2 {{ font-size: 1.25rem; margin: 0 0 .8rem; }}
h3 {{ font-size: 1rem; color: var(--quiet); margin: 1.4rem 0 .4rem; }}
.question {{ color: var(--quiet); font-size: 1.15rem; margin: .2rem 0 1rem; }}
dl {{ display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 0 0 1.4rem; }}
dt {{ color: var(--quiet); font-size: .85rem; }}
dd {{ margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }}
section {{ background: var(--surface); border: 1px solid var(--line); border-radius: .7rem;
  padding: 1.1rem 1.2rem; margin: 0 0 1.1rem; }}
figure {{ margin: 0; break-inside: avoid; min-width: 0; }}
figcaption {{ color: var(--quiet); font-size: .85rem; line-height: 1.4; overflow-wrap: anywhere; }}
figcaption b {{ color: var(--text); }}
img {{ display: block; width: 100%; height: auto; border-radius: .4rem; background: {LIGHT.surface}; }}
#pictures .body, #curves .body {{ display: grid; gap: 1.2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); align-items: start; }}
#moments .body {{ display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); align-items: start; }}
#moments .body:has(.wide) {{ grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); }}
#moments img + img {{ margin-top: .4rem; }}
#pictures img, #moments img {{ margin-bottom: .35rem; }}
#curves figure {{ max-width: 40rem; }}
#curves figcaption {{ font-size: .95rem; }}
#curves strong {{ color: var(--text); font-weight: 600; margin-right: .6em; }}
#curves figcaption b {{ color: inherit; }}
#curves figcaption span {{ margin-right: 1em; font-variant-numeric: tabular-nums; }}
.chart {{ display: block; width: 100%; height: auto; }}
.chart text {{ font-size: 13px; fill: var(--quiet); font-variant-numeric: tabular-nums; }}
.chart .down {{ text-anchor: end; }}
.chart .across {{ text-anchor: middle; }}
.chart path {{ fill: none; }}
.chart .grid {{ stroke: var(--grid); }}
.chart .curve {{ stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }}
.chart .band {{ stroke: none; opacity: .2; }}
.chart .mark {{ stroke: var(--flag); stroke-dasharray: 4 3; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; font-weight: 400;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }}
tbody tr:last-child > * {{ border-bottom: none; }}
tr {{ break-inside: avoid; }}
thead th {{ color: var(--quiet); font-size: .85rem; }}
th small {{ display: block; color: var(--quiet); line-height: 1.35; max-width: 38rem; }}
#settings td {{ white-space: nowrap; font-weight: 600; }}
#done th:first-child {{ white-space: nowrap; width: 8rem; color: var(--quiet); }}
.run {{ margin-bottom: .8rem; break-inside: avoid; overflow-wrap: anywhere; }}
.run small, .run .done {{ color: var(--quiet); font-size: .85rem; }}
.lane {{ background: var(--raised); border-radius: .25rem; height: .45rem; margin: .2rem 0; }}
.lane div {{ background: var(--quiet); border-radius: .25rem; height: 100%; min-width: .3rem; }}
.active .lane div {{ background: var(--accent); }}
#lesson .body {{ max-width: 44rem; }}
#lesson b {{ color: var(--accent); font-weight: 600; }}
#lesson em {{ font-style: normal; color: var(--quiet); }}
.formula {{ max-width: 100%; overflow: visible; }}
.display {{ background: var(--raised); border-radius: .5rem; padding: .7rem; text-align: center;
  overflow-x: auto; }}
.display .formula {{ font-size: 1.1em; display: block; margin: 0 auto; }}
pre {{ background: var(--raised); border-radius: .5rem; padding: .8rem; overflow-x: auto; font-size: .85rem;
  line-height: 1.45; }}
#again > .body > pre {{ white-space: pre-wrap; overflow-wrap: anywhere; }}
code {{ font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }}
summary {{ cursor: pointer; color: var(--accent); font-weight: 600; }}
footer {{ color: var(--quiet); font-size: .85rem; }}
@media print {{
  @page {{ margin: 16mm 14mm; }}
  :root {{ color-scheme: light; {day} --window: #ffffff; }}
  body {{ max-width: none; padding: 0; font-size: 10.5pt; }}
  section {{ border: none; padding: 0; margin: 0 0 1.4rem; }}
  h2, h3 {{ break-after: avoid; }}
  #pictures .body, #curves .body {{ grid-template-columns: 1fr 1fr; }}
  #moments .body {{ grid-template-columns: 1fr 1fr 1fr; }}
  pre {{ white-space: pre-wrap; overflow-wrap: anywhere; }}
  * {{ -webkit-print-color-adjust: exact; print-color-adjust: exact; }}
}}
"""
