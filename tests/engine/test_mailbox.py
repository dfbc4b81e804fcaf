from __future__ import annotations

import threading

import pytest

from engine.core.events import Acted, Sought
from engine.core.frame import Note
from engine.core.mailbox import Mailbox
from engine.core.text import _

FIRST, SECOND = Note(_("first")), Note(_("second"))


def test_scalars_are_all_kept_views_are_latest_wins_events_keep_their_order() -> None:
    box = Mailbox()
    box.put_scalars({"loss": ([1, 2], [0.5, 0.4])})
    box.put_views(1, {"note": FIRST})
    box.put_event(Acted(1, "a"))
    box.put_scalars({"loss": ([3], [0.3])})
    box.put_views(3, {"note": SECOND})
    box.put_event(Sought(2, live=False))
    taken = box.take()
    assert list(taken.scalars["loss"][0]) == [1, 2, 3]
    assert list(taken.scalars["loss"][1]) == [0.5, 0.4, 0.3]
    assert taken.views == {"note": (3, SECOND)}
    assert taken.events == [Acted(1, "a"), Sought(2, live=False)]
    assert box.take().empty


def test_a_channel_is_hungry_once_its_picture_has_been_taken() -> None:
    box = Mailbox()
    assert box.hungry(("a", "b")) == ["a", "b"]
    box.put_views(1, {"a": FIRST})
    assert box.hungry(("a", "b")) == ["b"]
    box.take()
    assert box.hungry(("a", "b")) == ["a", "b"]


def test_a_new_run_drops_pictures_and_scalars_of_the_old_one_but_no_event() -> None:
    box = Mailbox()
    box.put_scalars({"loss": ([1], [1.0])})
    box.put_views(1, {"a": FIRST})
    box.put_event(Acted(1, "old"))
    box.begin(7)
    box.put_event(Acted(0, "new"))
    taken = box.take()
    assert taken.run == 7
    assert not taken.scalars
    assert not taken.views
    assert [e.name for e in taken.events] == ["old", "new"]  # type: ignore[union-attr]


def test_what_is_put_together_comes_out_together() -> None:
    woken: list[bool] = []
    box = Mailbox(lambda: woken.append(box.is_empty()))
    with box.together():
        box.put_views(4, {"a": FIRST})
        box.put_scalars({"loss": ([4], [0.5])})
        box.put_keyframes((0, 4))
        box.put_progress(9, 1.0)
        assert box.take().empty
        assert not woken
        box.put_event(Sought(4, live=False))
    assert woken == [False]
    taken = box.take()
    assert taken.views == {"a": (4, FIRST)}
    assert taken.events == [Sought(4, live=False)]
    assert list(taken.scalars["loss"][0]) == [4]
    assert taken.keyframes == (0, 4)
    assert taken.step == 9


def test_what_is_put_together_is_added_to_what_lies_there_and_nothing_wakes_nobody() -> None:
    woken: list[int] = []
    box = Mailbox(lambda: woken.append(1))
    box.put_views(1, {"a": FIRST, "b": FIRST})
    box.put_scalars({"loss": ([1], [1.0])})
    with box.together():
        pass
    assert woken == [1]
    with box.together():
        box.put_views(2, {"a": SECOND})
        box.put_scalars({"loss": ([2], [2.0])})
        box.put_event(Sought(2, live=True))
    assert woken == [1, 1]  # the first event in the box
    taken = box.take()
    assert taken.views == {"a": (2, SECOND), "b": (1, FIRST)}
    assert list(taken.scalars["loss"][1]) == [1.0, 2.0]


def test_what_was_put_before_something_went_wrong_is_not_lost() -> None:
    box = Mailbox()

    def go_wrong() -> None:
        with box.together():
            box.put_event(Acted(1, "x"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        go_wrong()
    box.put_event(Acted(2, "y"))
    assert [e.step for e in box.take().events] == [1, 2]  # type: ignore[union-attr]


def test_it_wakes_once_for_each_filling_of_an_empty_box() -> None:
    woken = []
    box = Mailbox(lambda: woken.append(threading.get_ident()))
    for step in range(5):
        box.put_views(step, {"a": FIRST})
    box.put_progress(5, 10.0)
    assert len(woken) == 1
    box.take()
    box.put_event(Acted(1, "x"))
    assert len(woken) == 2


def test_an_event_wakes_the_window_though_a_picture_already_waits() -> None:
    woken = []
    box = Mailbox(lambda: woken.append(1))
    box.put_views(1, {"a": FIRST})
    box.put_event(Acted(1, "x"))
    assert len(woken) == 2
    assert box.has_events()
    box.put_event(Acted(1, "y"))
    assert len(woken) == 2
    box.take()
    assert not box.has_events()


def test_two_threads_lose_nothing() -> None:
    box, got = Mailbox(), []
    total = 20_000

    def put() -> None:
        for step in range(total):
            box.put_scalars({"loss": ([step], [float(step)])})

    thread = threading.Thread(target=put)
    thread.start()
    while thread.is_alive() or not box.is_empty():
        got += list(box.take().scalars.get("loss", ([],))[0])
    thread.join()
    assert got == list(range(total))
