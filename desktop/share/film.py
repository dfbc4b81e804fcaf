"""A film of the timeline: one picture or the whole window, step after step, with a strip below that says what
it is and where in the run.

The film is made from what has been recorded: the window goes through the recorded steps, each is painted
anew in the size of the film and handed to a thread that writes it (see :mod:`desktop.share.reel`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QPainter
from PySide6.QtWidgets import QWidget

from desktop.language import _, number, tr
from desktop.panels.panel import Panel
from desktop.share import caption, reel
from desktop.share.job import Taking
from desktop.share.picture import render
from desktop.share.plan import CURVES, PICTURES, WINDOW, Plan
from desktop.share.tour import NOTHING_RECORDED
from desktop.style.tokens import look
from engine.api import Text, is_second

if TYPE_CHECKING:
    from desktop.window import Window

PANEL_SIZE, WINDOW_SIZE = QSize(960, 800), QSize(1280, 960)
"""A film is as large as fits in here."""
SAMPLES = 6
"""Pictures looked at beforehand, for colours and axes that serve the whole film."""
LEAST_EM, EMS_WIDE = 14.0, 60.0
"""How large the letters of the strip are, in pixels at least, and how many are a picture's width."""
WRAP = Qt.TextFlag.TextWordWrap
MAKING = _("Making the film…")
UNSEEN = _("Stopped, since the picture that is filmed is no longer on screen. Nothing has been written.")


class Film(Taking):
    """Asks what to film, and films it."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._plan = Plan()
        self._subject: QWidget = window
        self._strip: Strip | None = None
        self._shots: list[tuple[int, int]] = []
        self._lasting: Iterator[int] = iter(())  # how long each of the next pictures is seen

    # ── asking ──────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, panel: Panel | None = None) -> None:
        """Ask what to film. panel: the picture that is meant, or None."""
        window = self._window
        if self.busy:
            return
        if len(window.timeline.keyframes) < 2:
            window.notice.show_problem(NOTHING_RECORDED)
            return
        subjects = self.subjects()
        meant = next((name for name, widget in subjects.items() if widget is panel), None)
        kept = self._plan.what if self._plan.what in subjects else PICTURES
        from desktop.share.film_dialog import FilmDialog

        plan = replace(self._plan, what=meant or kept, first=0, last=None)
        dialog = FilmDialog(plan, self.titles(), window.timeline.keyframes, window)
        dialog.wanted.connect(self._ask_where)
        dialog.open()

    def subjects(self) -> dict[str, QWidget]:
        """What can be filmed just now, by name: the pictures on screen, all and each, and the window."""
        found: dict[str, QWidget] = {}
        area = self._window.area
        if area is not None:
            found[PICTURES] = area
            found |= {name: panel for name, panel in area.panels.items() if panel.isVisible()}
            found |= {CURVES: area.loss} if area.loss.isVisible() else {}
        return found | {WINDOW: self._window}

    def titles(self) -> dict[str, Text]:
        """How these are called."""
        conductor = self._window.conductor
        assert conductor is not None
        assert conductor.spec is not None
        channels = conductor.info_of(conductor.spec).channels
        own = {PICTURES: _("All pictures"), CURVES: _("Curves"), WINDOW: _("The whole window")}
        sides = any(map(is_second, channels))

        def title(name: str) -> Text:
            if name in own or not sides:
                return own.get(name) or channels[name].title
            side = "B" if is_second(name) else "A"
            return Text("{side} · {title}", {"side": side, "title": channels[name].title})

        return {name: title(name) for name in self.subjects()}

    def _ask_where(self, plan: Plan) -> None:
        """The dialog has been answered."""
        self._plan = plan
        path = self._window.sharing.ask_path(_("Save the film"), plan.form)
        if path is not None:
            self.make(plan, path)

    # ── making ──────────────────────────────────────────────────────────────────────────────────────────────

    def make(self, plan: Plan, path: Path) -> None:
        """Make it now; ``done`` follows."""
        subject = self.subjects().get(plan.what)
        if self.busy or subject is None:
            return
        self._plan, self._subject = plan, subject
        self._shots, self._strip = [], None
        self._begin(path, MAKING)

    def _steps(self, recorded: Sequence[int]) -> list[int]:
        """Where to go: to a few samples first, then from the first to the last."""
        self._shots = self._plan.shots(recorded)
        steps = [step for step, _milliseconds in self._shots]
        if len(steps) < 2:
            self.give_up(NOTHING_RECORDED)
            return []
        count = min(SAMPLES, len(steps))
        samples = [steps[round(i * (len(steps) - 1) / (count - 1))] for i in range(count)]
        self._lasting = chain((0,) * len(samples), [milliseconds for _step, milliseconds in self._shots])
        several = self._plan.what in (WINDOW, PICTURES)
        self._strip = Strip(
            self._subject.size(),
            WINDOW_SIZE if several else PANEL_SIZE,
            (steps[0], steps[-1]),
            [(mark.step, tr(mark.text)) for mark in self._window.timeline.marks],
            self._line(steps[-1]),
        )
        return [*samples, *steps]

    def _shoot(self, step: int) -> Iterator[tuple[QImage, int]]:
        """What is seen now, as a picture of the film, and for how many milliseconds; 0 is a sample."""
        assert self._strip is not None
        if not self._subject.isVisible():
            self.give_up(UNSEEN)
            return
        notice = self._window.notice
        filmed = self._plan.what == WINDOW and notice.isVisible()
        if filmed:  # what is said about the film is not in it
            notice.hide()
        ratio = self._strip.picture.width() / max(self._subject.width(), 1)
        picture = render(self._subject, max(ratio, 1.0))
        if filmed:
            notice.show()
        yield self._strip.compose(picture, step, self._line(step)), next(self._lasting)

    def _line(self, step: int) -> str:
        """What the film shows at ``step``, which itself is said larger."""
        return caption.APART.join(
            part for part in caption.of(self._window, step).split(caption.APART) if part != _step(step)
        )

    def _write(self, file: IO[bytes], things: Iterator[tuple[QImage, int]]) -> None:
        """On the thread of the job."""
        shots = ((_pixels(image), milliseconds) for image, milliseconds in things)
        if self._plan.form == "gif":
            reel.write_gif(file, shots)
        else:
            seen = (shot for shot in shots if shot[1])
            first = next(seen)  # before it comes nobody knows how many there will be
            reel.write_webp(file, chain((first,), seen), len(self._shots))
            next(seen, None)

    def _told(self, path: Path) -> Text:
        size = number(path.stat().st_size / 2**20, 2)
        return _("The film has been saved as “{path}” ({size} MB).", path=path.name, size=size)


def _step(step: int) -> str:
    return tr(_("step {step}", step=number(step)))


def _pixels(image: QImage) -> reel.Pixels:
    """(H, W, 3) what is in ``image``."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    return rows[:, : 3 * rgb.width()].reshape(rgb.height(), rgb.width(), 3).copy()


class Strip:
    """The strip below every picture of a film: how far it is and what was done by hand, the step, and a line
    that says what it is.
    """

    def __init__(
        self, subject: QSize, limit: QSize, ends: tuple[int, int], marks: Sequence[tuple[int, str]], line: str
    ) -> None:
        """ends: the first and the last step. marks: steps at which something was changed, and what. line:
        what is said about it, about as long as it gets.
        """
        self.picture = subject.scaled(limit, Qt.AspectRatioMode.KeepAspectRatio)
        self._ends, self._marks = ends, sorted(marks)
        self._em = max(LEAST_EM, self.picture.width() / EMS_WIDE)
        self._bold, self._plain = self._font(1.1, bold=True), self._font(0.92, bold=False)
        self._pad = self._em * 0.7
        self._row = QFontMetricsF(self._bold).height()
        self._room = QRectF(self._pad, 0, self.picture.width() - 2 * self._pad, 99 * self._em)
        below = QFontMetricsF(self._plain).boundingRect(self._room, WRAP, line).height()
        strip = math.ceil(self._track + 0.5 * self._pad + self._row + below + 0.8 * self._pad)
        self.size = QSize(self.picture.width(), self.picture.height() + strip)

    def _font(self, relative: float, *, bold: bool) -> QFont:
        font = look.font(bold=bold, tabular=True)
        font.setPixelSize(round(self._em * relative))
        return font

    @property
    def _track(self) -> float:
        """How high it is."""
        return max(self._em * 0.3, 3.0)

    def compose(self, picture: QImage, step: int, line: str) -> QImage:
        """``picture`` of ``step`` with the strip, in the size of the film."""
        image = QImage(self.size, QImage.Format.Format_RGB32)
        image.fill(look.colour("surface"))
        with QPainter(image) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self._place(picture), picture)
            painter.translate(0, self.picture.height())
            self._paint_track(painter, step)
            self._paint_words(painter, step, line)
        return image

    def _place(self, picture: QImage) -> QRect:
        """Where it lies: everywhere, unless the window has another shape by now."""
        size = picture.size().scaled(self.picture, Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(0, 0, size.width(), size.height())
        place.moveCenter(QRect(0, 0, self.picture.width(), self.picture.height()).center())
        return place

    def _x(self, step: int) -> float:
        first, last = self._ends
        return self.picture.width() * min(max((step - first) / max(last - first, 1), 0.0), 1.0)

    def _paint_track(self, painter: QPainter, step: int) -> None:
        high, wide = self._track, self.picture.width()
        painter.fillRect(QRectF(0, 0, wide, high), look.colour("line"))
        painter.fillRect(QRectF(0, 0, self._x(step), high), look.colour("accent"))
        for at, _words in self._marks:
            if self._ends[0] <= at <= self._ends[1]:
                x = min(max(self._x(at), high / 2), wide - high / 2)
                painter.fillRect(QRectF(x - high / 2, 0, high, 2 * high), look.colour("flag"))

    def _paint_words(self, painter: QPainter, step: int, line: str) -> None:
        row = QRectF(self._room.left(), self._track + 0.5 * self._pad, self._room.width(), self._row)
        painter.setFont(self._bold)
        painter.setPen(look.colour("text"))
        words = _step(step)
        painter.drawText(row, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
        done = [words for at, words in self._marks if at <= step]
        if done:  # the last thing that was done by hand
            row.setLeft(row.left() + QFontMetricsF(self._bold).horizontalAdvance(words) + 2 * self._pad)
            text = QFontMetricsF(self._bold).elidedText(done[-1], Qt.TextElideMode.ElideRight, row.width())
            painter.setPen(look.colour("flag"))
            painter.drawText(row, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        painter.setFont(self._plain)
        painter.setPen(look.colour("quiet"))
        painter.drawText(self._room.translated(0, row.bottom()), WRAP, line)
