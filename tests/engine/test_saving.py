"""Whatever happens while a session is written: what was there before is still there, whole, and no scrap."""

from __future__ import annotations

import errno
import functools
import os
import random
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.core import session
from engine.core.events import Failed, Refused, Saved
from engine.core.mailbox import Mailbox
from engine.core.saver import Saver
from engine.core.session import MEMBERS, SCRAP, read_whole, write
from engine.core.text import CancelledError, InputError
from tests.engine.conftest import Client

Members = dict[str, bytes]
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and limits are those of POSIX")


@functools.cache
def members(word: str, size: int = 300_000) -> Members:
    """Members that do not become smaller."""
    return {name: word.encode() + random.Random(word + name).randbytes(size) for name in MEMBERS}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that has been saved twice."""
    path = tmp_path / "run.latentarium"
    write(path, members("first"))
    write(path, members("second"))
    assert (read_whole(path), read_whole(former(path))) == (members("second"), members("first"))
    return path


def former(path: Path) -> Path:
    return path.with_name(path.name + ".1")


# ── a disk that is full ─────────────────────────────────────────────────────────────────────────────────────


class Disk:
    """Fails at the ``at``-th thing asked of it, and at every later one of that kind. lasting: of any kind."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, *, lasting: bool) -> None:
        self._at, self._lasting, self._count = at, lasting, 0
        self._broken: str | None = None
        for name in ("fsync", "replace", "link"):
            monkeypatch.setattr(session.os, name, self._guarded(name, getattr(os, name)))
        begin = session._begin

        def guarded_begin(place: Path) -> Any:
            return File(self._guarded("open", begin)(place), self)

        monkeypatch.setattr(session, "_begin", guarded_begin)

    def _guarded(self, kind: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*args: Any) -> Any:
            self.ask(kind)
            return call(*args)

        return asked

    @property
    def failed(self) -> bool:
        return self._broken is not None

    def ask(self, kind: str) -> None:
        self._count += 1
        if self._count == self._at:
            self._broken = kind
        if self._broken is not None and (self._lasting or self._broken == kind):
            raise OSError(errno.ENOSPC, "No space left on device")


class File:
    """A file on such a disk."""

    def __init__(self, file: Any, disk: Disk) -> None:
        self._file, self._disk = file, disk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> File:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def write(self, content: Any) -> int:
        self._disk.ask("write")
        return int(self._file.write(content))

    def flush(self) -> None:
        self._disk.ask("flush")
        self._file.flush()


@pytest.mark.parametrize("lasting", [False, True])
def test_a_disk_that_is_full_at_any_moment_leaves_the_former_file(
    path: Path, lasting: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    third, refused = members("third", 5_000), []
    for at in range(1, 200):
        with monkeypatch.context() as patch:
            disk = Disk(patch, at, lasting=lasting)
            try:
                write(path, third)
            except InputError as error:
                refused.append(str(error.sentence))
                whole = members("second"), members("first")
            else:
                whole = third, members("second")
        assert names(path.parent) == [path.name, former(path).name], at
        assert read_whole(path) == whole[0], at
        if not disk.failed:
            break
        # What comes after the file is there, such as to set aside the one before, is no reason to refuse.
        assert read_whole(former(path)) in (whole[1], members("first")), at
        write(path, members("first"))
        write(path, members("second"))
    assert not disk.failed, "it was asked more than that"
    assert len(refused) > 20
    assert all("No space left" in sentence and path.name in sentence for sentence in refused)


def test_where_no_file_can_have_two_names_the_former_one_is_put_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_args: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(session.os, "link", no_links)
    write(path, members("third"))
    assert (read_whole(path), read_whole(former(path))) == (members("third"), members("second"))
    replace = os.replace

    def only_aside(source: Path, target: Path) -> None:
        if target == path and source.name.startswith(SCRAP):
            raise OSError(errno.EIO, "Input/output error")
        replace(source, target)

    monkeypatch.setattr(session.os, "replace", only_aside)
    with pytest.raises(InputError, match="Input/output error"):
        write(path, members("fourth"))
    assert names(path.parent) == [path.name]
    assert read_whole(path) == members("third")


@POSIX
def test_a_file_that_may_not_grow_is_refused(path: Path) -> None:
    program = textwrap.dedent(
        """
        import resource, sys
        from pathlib import Path
        from engine.core.session import MEMBERS, write
        from engine.core.text import InputError
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            write(Path(sys.argv[1]), {name: bytes(range(256)) * 4000 for name in MEMBERS})
        except InputError as error:
            print(error.sentence)
        """
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert "could not be written: File too large" in done.stdout
    assert names(path.parent) == [path.name, former(path).name]
    assert read_whole(path) == members("second")


def test_a_file_too_large_to_be_read_again_is_not_written(tmp_path: Path) -> None:
    from tests.engine.attacks import SPECS, Hands

    hands = Hands()
    hands.start(SPECS["kl"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "LARGEST", 10_000)
        with pytest.raises(InputError, match="too large for one file"):
            hands.members()


# ── a program that is killed ────────────────────────────────────────────────────────────────────────────────

WRITERS = """
    import os, random, signal, sys
    from pathlib import Path
    from engine.core.session import MEMBERS, write
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who has ended is gone
    path = Path(sys.argv[1])
    for line in sys.stdin:
        word, times = line.split()
        pid = os.fork()
        if not pid:
            members = {n: word.encode() + random.Random(word + n).randbytes(300_000) for n in MEMBERS}
            for _time in range(int(times)):
                write(path, members)
            os._exit(0)
        print(pid, flush=True)
"""
"""Begins a process that writes for each line it reads: importing torch takes longer than all the rest."""


@pytest.fixture
def begin(path: Path) -> Iterator[Callable[[str, int], int]]:
    """Begins a writer that saves to ``path`` so many times. Returns its process id."""
    program = [sys.executable, "-c", textwrap.dedent(WRITERS), str(path)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        stdin, stdout = parent.stdin, parent.stdout

        def begin(word: str, times: int) -> int:
            stdin.write(f"{word} {times}\n")
            stdin.flush()
            return int(stdout.readline())

        yield begin
        stdin.close()
        parent.wait(timeout=20)


@POSIX
def test_killed_at_any_moment_the_file_is_there_whole_and_scraps_go_with_the_next_one(
    path: Path, begin: Callable[[str, int], int]
) -> None:
    rng, possible = random.Random(1), (members("second"), members("other"))
    scraps = 0
    for _attempt in range(15):
        pid = begin("other", 10**6)
        threading.Event().wait(0.02 + 0.1 * rng.random())  # at any moment
        os.kill(pid, signal.SIGKILL)
        while lives(pid):
            threading.Event().wait(0.001)
        assert read_whole(path) in possible
        assert read_whole(former(path)) in (*possible, members("first"))
        left = [name for name in names(path.parent) if name.startswith(SCRAP)]
        assert len(left) <= 2
        scraps += len(left)
        write(path, members("second"))
        assert names(path.parent) == [path.name, former(path).name]
    assert scraps, "it was never killed while it wrote"


def lives(pid: int) -> bool:
    """Whether that process has not ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@POSIX
def test_two_windows_that_save_to_one_file_both_leave_it_whole(
    path: Path, begin: Callable[[str, int], int]
) -> None:
    possible = [members(word) for word in ("second", "one", "other")]
    pids = [begin(word, 15) for word in ("one", "other")]
    while any(map(lives, pids)):
        assert read_whole(path) in possible
    assert read_whole(path) in possible[1:]
    assert read_whole(former(path)) in possible
    assert names(path.parent) == [path.name, former(path).name]


def test_nobody_sweeps_away_what_is_being_written(path: Path) -> None:
    def look(share: float) -> None:
        session._sweep(path.parent)
        assert any(name.startswith(SCRAP) for name in names(path.parent))

    write(path, members("third"), tell=look)
    assert read_whole(path) == members("third")


# ── where it is written ─────────────────────────────────────────────────────────────────────────────────────


@POSIX
def test_a_file_is_as_open_to_others_as_it_was_and_a_new_one_as_any(path: Path) -> None:
    path.chmod(0o640)
    write(path, members("third"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    other = path.with_name("new.latentarium")
    plain = path.with_name("plain")
    plain.touch()
    write(other, members("third"))
    assert stat.S_IMODE(other.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@POSIX
def test_a_link_goes_on_to_show_where_it_did(path: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "run.latentarium"
    link.symlink_to(path)
    write(link, members("third"))
    assert link.is_symlink()
    assert read_whole(path) == members("third")
    assert names(link.parent) == [link.name]


def test_a_folder_is_not_replaced(path: Path) -> None:
    folder = path.with_name("folder.latentarium")
    folder.mkdir()
    (folder / "mine").touch()
    with pytest.raises(InputError, match=r"folder\.latentarium"):
        write(folder, members("third"))
    assert names(folder) == ["mine"]
    with pytest.raises(InputError, match="nowhere"):
        write(path.parent / "nowhere" / "x", members("third"))


# ── beside the training ─────────────────────────────────────────────────────────────────────────────────────


class Slow:
    """``session.write``, which waits in the middle until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.go = threading.Semaphore(0), threading.Semaphore(0)
        self.written: list[Path] = []

        def slow(path: Path, members: Members, *, tell: Callable[[float], None]) -> None:
            self.begun.release()
            assert self.go.acquire(timeout=20)
            tell(0.5)
            write(path, members)
            self.written.append(path)

        monkeypatch.setattr(session, "write", slow)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    return Slow(monkeypatch)


@pytest.fixture
def saver() -> Iterator[tuple[Saver, Mailbox]]:
    mailbox = Mailbox()
    saver = Saver(mailbox)
    yield saver, mailbox
    saver.close()


def test_what_is_asked_for_meanwhile_waits_and_the_latest_wins(
    path: Path, slow: Slow, saver: tuple[Saver, Mailbox]
) -> None:
    saver_, mailbox = saver
    other = path.with_name("other.latentarium")
    saver_.write(path, members("a"), quiet=False)
    assert slow.begun.acquire(timeout=20)
    assert saver_.busy
    for word in ("b", "c"):  # nobody has to wait for the first one to be whole
        saver_.write(path, members(word), quiet=False)
    saver_.write(other, members("d"), quiet=True)
    slow.go.release(9)
    saver_.close()
    assert not saver_.busy
    assert slow.written == [path, path, other]
    assert (read_whole(path), read_whole(other)) == (members("c"), members("d"))
    assert [(e.path, e.quiet) for e in mailbox.take().events if isinstance(e, Saved)] == [
        (path, False), (path, False), (other, True),
    ]  # fmt: skip


def test_cancelling_gives_up_what_waits_too(path: Path, slow: Slow, saver: tuple[Saver, Mailbox]) -> None:
    saver_, mailbox = saver
    saver_.write(path, members("a"), quiet=False)
    assert slow.begun.acquire(timeout=20)
    saver_.write(path, members("b"), quiet=False)
    saver_.cancel()
    slow.go.release(9)
    saver_.close()
    assert read_whole(path) == members("second")
    assert not mailbox.take().events
    saver_.write(path, members("c"), quiet=False)
    saver_.close()
    assert read_whole(path) == members("c")


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("nobody foresaw this"), CancelledError()])
def test_whoever_waits_for_a_file_hears_of_it(
    path: Path, error: Exception, saver: tuple[Saver, Mailbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_args: object) -> int:
        raise error

    monkeypatch.setattr(session, "_fill", fails)
    saver_, mailbox = saver
    saver_.write(path, members("a"), quiet=False)
    saver_.close()
    events = mailbox.take().events
    refused = [e for e in events if isinstance(e, Refused)]
    assert len(refused) == (0 if isinstance(error, CancelledError) else 1)
    assert all(path.name in e.sentence and e.about == "save" for e in refused)
    assert [type(e) for e in events if isinstance(e, Failed)] == [Failed] * isinstance(error, RuntimeError)
    assert read_whole(path) == members("second")
    assert names(path.parent) == [path.name, former(path).name]


def test_an_engine_that_is_closed_ends_what_it_writes(client: Client, tmp_path: Path, slow: Slow) -> None:
    client.start()
    client.advance(3)
    path, last = tmp_path / "hand.latentarium", tmp_path / "last.latentarium"
    client.engine.save(path)
    assert slow.begun.acquire(timeout=20)
    slow.go.release(9)
    assert client.engine.close(20, keep=(last, {}))
    assert set(read_whole(path)) == set(read_whole(last)) == set(MEMBERS)
    assert names(tmp_path) == [path.name, last.name]
