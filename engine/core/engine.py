"""The engine: one thread around a runner.

Every public method returns at once: it puts a command on the queue, and what comes of it arrives in the
mailbox. Only the engine thread touches torch.
"""

from __future__ import annotations

import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.events import ASIDE, Failed, Ready, RunSpec
from engine.core.mailbox import Mailbox
from engine.core.text import InputError, Text, _

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.core.params import Value

CLOSE_WITHIN = 1.0
"""Seconds to wait for the thread to end."""
LASTING = (ASIDE - {"ask"}) | {"pace", "slow_motion", "watch", "budget"}
"""Commands that mean something whichever run there is."""
Command = tuple[str, tuple[Any, ...]]


class Engine:
    """Started once, closed once. device, threads: as on the command line; "auto" and None choose
    themselves.
    """

    def __init__(
        self, wake: Callable[[], None] = lambda: None, *, device: str = "auto", threads: int | None = None
    ) -> None:
        self.mailbox = Mailbox(wake)
        self._device = device
        self._threads = threads
        self._commands: deque[Command] = deque()
        self._condition = threading.Condition()
        self._closing = False
        self._wanted = 0  # counts the runs asked for
        self._last_wish: tuple[Path, Mapping[str, Any]] | None = None  # to be saved when all is over
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._main, name="engine", daemon=True)
        self._thread.start()

    # ── asked by any thread; each returns at once ───────────────────────────────────────────────────────────

    def start(self, spec: RunSpec, *, original: bool = False) -> None:
        """Set up a new run; it stands at its first step, paused.

        original: on the data as they were, should somebody have painted over them.
        """
        self._want("start", spec, original)

    def _want(self, name: str, *args: Any) -> None:
        """Another run is asked for: one that is only being set up gives way, with all that was meant for
        it.
        """
        self._cancelled.clear()
        with self._condition:
            self._wanted += 1
            kept = (c for c in self._commands if c[0] in LASTING)
            self._commands = deque(kept)
        self._post(name, *args, self._wanted)

    def cancel(self) -> None:
        """Give up reading or making data, if that is going on; the former run stays."""
        self._cancelled.set()

    def resume(self) -> None:
        """Train on. While an earlier step is shown: continue from there, as a branch."""
        self._post("resume")

    def pause(self) -> None:
        self._post("pause")

    def advance(self, steps: int) -> None:
        """``steps`` steps (in slow motion: one beat), then pause."""
        self._post("advance", steps)

    def pace(self, steps_per_second: float | None) -> None:
        """How fast at most; None: as fast as it goes."""
        self._post("pace", steps_per_second)

    def slow_motion(self, on: bool) -> None:
        """Rest at every beat."""
        self._post("slow_motion", on)

    def set(self, name: str, value: object) -> None:
        """Turn a live knob; it takes effect between two steps."""
        self._post("set", name, value)

    def ask(self, name: str, *args: Any, tag: object = None) -> None:
        """Put a query; of several waiting ones with the same name and tag only the newest is answered."""
        self._post("ask", name, tag, args)

    def act(self, name: str, *args: Any) -> None:
        """Change the run by hand, or pick what its pictures show."""
        self._post("act", name, args)

    def paint(self, xy: NDArray[np.float32], y: NDArray[np.int32]) -> None:
        """Other points in the plane for the present run, (N, 2) and their classes (N,); it goes on with
        them.
        """
        self._post("paint", xy, y)

    def watch(self, channels: Iterable[str]) -> None:
        """These channels are on screen: their pictures are wanted."""
        self._post("watch", frozenset(channels))

    def seek(self, step: int | None) -> None:
        """Show the recorded pictures nearest to ``step``; None: the newest again. Training goes on
        meanwhile.
        """
        self._post("seek", step)

    def back(self) -> None:
        """Pause, and show the recorded step before the one now shown."""
        self._post("back")

    def branch(self, step: int) -> None:
        """Leave the run at ``step`` and stand there again, in a new run with the same past. The run that was
        left stays in the tree (Grown).
        """
        self._post("branch", step)

    def switch(self, branch: int) -> None:
        """Stand at the end of another run of the tree. While two of them are side by side: of this one
        alone.
        """
        self._cancelled.clear()
        self._post("switch", branch)

    def rename(self, branch: int, name: str) -> None:
        """Call a run of the tree by this name; "" is none."""
        self._post("rename", branch, name)

    def forget(self, branch: int) -> None:
        """Delete a run of the tree; ``bring_back`` undoes it."""
        self._post("forget", branch)

    def bring_back(self, branch: int) -> None:
        self._post("bring_back", branch)

    def haunt(self, branch: int | None) -> None:
        """Show the curves and points of this run of the tree behind those of the present one; None: of
        none.
        """
        self._post("haunt", branch)

    def set_beside(self, a: int, b: int) -> None:
        """Two runs of the tree side by side, from the last step that both have reached."""
        self._cancelled.clear()
        self._post("set_beside", a, b)

    def budget(self, bytes_: int) -> None:
        """How much memory recorded runs may take, all together."""
        self._post("budget", bytes_)

    def save(self, path: Path, view: Mapping[str, Any] | None = None) -> None:
        """Write the runs to a file, with what is on screen in plain JSON values. The file is written beside
        the training (Saving), and stands whole when ``Saved`` comes.
        """
        self._post("save", path, view or {}, False)

    def autosave(self, path: Path, view: Mapping[str, Any] | None = None) -> None:
        """As ``save``, quietly, and not while another file is being written."""
        self._post("autosave", path, view or {})

    def cancel_saving(self) -> None:
        """Give up writing; what was there before stays."""
        self._post("cancel_saving")

    def load(self, path: Path) -> None:
        """Go on with the runs saved in ``path`` (Started, then Opened)."""
        self._want("load", path)

    def preview(self, spec: RunSpec) -> None:
        """Make or read the data of ``spec`` and show them at a glance (Previewed); the run is not touched."""
        self._cancelled.clear()
        self._post("preview", spec)

    def download(self, name: str, folder: Path) -> None:
        """Fetch a data set from the network, because the person asked for it (Downloaded)."""
        self._cancelled.clear()
        self._post("download", name, folder)

    def look(self, path: Path, source: str = "", params: Mapping[str, Value] | None = None) -> None:
        """Look at a file or folder of the person's own (Looked). params: how to read it with ``source``."""
        self._cancelled.clear()
        self._post("look", path, source, params or {})

    def close(
        self, timeout: float = CLOSE_WITHIN, *, keep: tuple[Path, Mapping[str, Any]] | None = None
    ) -> bool:
        """End the thread after the present step. True when it has ended within ``timeout`` seconds.

        keep: first save the runs there, with this view.
        """
        with self._condition:
            self._closing, self._last_wish = True, keep
            self._condition.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _post(self, name: str, *args: Any) -> None:
        with self._condition:
            if name in ("ask", "seek", "set", "paint", "preview", "look", "autosave"):  # latest wins
                key = args[:2] if name == "ask" else args[:1] if name == "set" else ()
                self._commands = deque(
                    c for c in self._commands if not (c[0] == name and c[1][: len(key)] == key)
                )
            self._commands.append((name, args))
            self._condition.notify()

    # ── the engine thread ───────────────────────────────────────────────────────────────────────────────────

    def _main(self) -> None:
        try:
            from engine import boot

            boot.load_torch()
            from engine.core.catalogue import catalogue
            from engine.core.device import choose, describe

            infos = tuple(cls.info for cls in catalogue().values())
            words = describe(choose(self._device))
            from engine.core.loop import Loop
        except Exception as error:  # the window, the lessons and recorded runs still work
            self.mailbox.put_event(Failed(_explain_start(error), traceback.format_exc()))
            return
        self.mailbox.put_event(Ready(infos, words))
        Loop(self, words).run()


def _explain_start(error: Exception) -> Text:
    if isinstance(error, InputError):
        return error.sentence
    return _(
        "The computing part could not be loaded ({reason}). Install Latentarium again; the lessons can "
        "still be read.",
        reason=str(error).splitlines()[0] if str(error) else type(error).__name__,
    )
