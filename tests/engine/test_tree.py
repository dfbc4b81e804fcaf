from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from engine.core.events import (
    GHOST,
    Acted,
    Grown,
    Haunted,
    Opened,
    Refused,
    RunSpec,
    Saved,
    Sought,
    Started,
    Turned,
)
from engine.core.timeline import Timeline
from engine.core.tree import Node, Tree
from tests.engine.conftest import Client

SPEC = RunSpec("probe", "blobs", {}, 1)


def timeline_to(last: int) -> Timeline:
    timeline = Timeline()
    for step in range(last + 1):
        timeline.keep(step, {}, {"step": step})
    return timeline


def tree_to(last: int) -> Tree:
    data: Any = None
    return Tree(Node(1, SPEC, data, timeline_to(last)))


# ── the tree itself ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_in_which_nothing_was_changed_is_not_kept_when_it_is_left() -> None:
    tree = tree_to(30)
    tree.branch(timeline_to(20), 10, 0)
    third = tree.branch(timeline_to(15), 15, 0)
    assert sorted(tree.nodes) == [1, 3]
    assert (tree.active, tree.ghost) == (3, 1)
    third.log.append(Turned(16, "lr", 1.0, 2.0))
    tree.stand_at(1)
    assert sorted(tree.nodes) == [1, 3]
    assert (tree.active, tree.ghost) == (1, 3)


@pytest.mark.parametrize(
    "kept_for", ["a name", "something done in it", "something done in its parent", "length"]
)
def test_what_does_not_only_repeat_its_parent_is_kept(kept_for: str) -> None:
    tree = tree_to(30)
    node = tree.branch(timeline_to(40 if kept_for == "length" else 20), 10, 0)
    if kept_for == "a name":
        node.name = "mine"
    elif kept_for == "something done in it":
        node.log.append(Acted(12, "move"))
    elif kept_for == "something done in its parent":
        tree.nodes[1].log.append(Turned(12, "lr", 1.0, 2.0))
    tree.stand_at(1)
    assert node.id in tree.nodes


def test_the_children_of_a_deleted_run_come_to_its_parent_and_go_back() -> None:
    tree = tree_to(30)
    tree.nodes[1].log = [Turned(3, "lr", 1.0, 2.0)]
    middle = tree.branch(timeline_to(25), 10, 1)
    middle.log.append(Turned(12, "lr", 2.0, 3.0))
    last = tree.branch(timeline_to(22), 20, 2)
    tree.forget(middle.id)
    assert (last.parent, last.start, last.own) == (1, 10, (Turned(12, "lr", 2.0, 3.0),))
    assert tree.bring_back(middle.id)
    assert (last.parent, last.start, last.own) == (middle.id, 20, ())
    assert not tree.bring_back(99)


def test_all_runs_together_keep_to_the_budget() -> None:
    import numpy as np

    from engine.core.frame import Points

    def full(seed: int) -> Timeline:
        timeline = Timeline()
        for step in range(60):
            timeline.keep(step, {"cloud": Points(np.full((1000, 2), seed + step, np.float32))}, {"s": step})
        return timeline

    tree = Tree(Node(1, SPEC, None, full(0)), 300_000)  # type: ignore[arg-type]
    for seed in (1, 2, 3):
        tree.branch(full(seed), 0, 0).log.append(Acted(1, "move"))
    assert len(tree.nodes) == 4
    assert sum(node.timeline.bytes for node in tree.nodes.values()) <= 300_000
    assert all(node.timeline.steps[-1] == 59 for node in tree.nodes.values())


# ── in the engine ───────────────────────────────────────────────────────────────────────────────────────────


def grown(client: Client) -> Grown:
    found = client.of(Grown)[-1]
    assert isinstance(found, Grown)
    return found


def begun(client: Client) -> int:
    return len(client.of(Started))


def test_the_old_future_stays_as_a_ghost_and_can_be_come_back_to(client: Client) -> None:
    client.start()
    client.engine.watch(("cloud", "note"))
    client.advance(40)
    old = list(client.scalars["loss"])
    client.engine.seek(12)
    client.engine.set("lr", 0.003)
    client.engine.advance(10)
    client.until(lambda: begun(client) == 2 and client.scalars["loss"][-1][0] == 22)
    client.until(lambda: client.status() == "paused" and grown(client).branches[-1].last == 22)
    tree = grown(client)
    assert [(b.id, b.parent, b.start, b.last) for b in tree.branches] == [(1, None, 0, 40), (2, 1, 12, 22)]
    assert tree.branches[0].log == ()
    assert tree.branches[1].log == (Turned(13, "lr", 0.01, 0.003),)
    assert (tree.active, tree.ghost) == (2, 1)
    haunted = client.of(Haunted)[-1].scalars  # type: ignore[attr-defined]
    assert list(zip(*haunted["loss"], strict=True)) == old
    client.until(lambda: GHOST + "cloud" in client.views)
    assert client.views[GHOST + "cloud"][0] == client.views["cloud"][0] == 22
    assert GHOST + "note" not in client.views
    client.engine.seek(5)
    client.until(lambda: client.views[GHOST + "cloud"][0] == 5)
    client.engine.switch(1)
    client.until(lambda: begun(client) == 3 and client.status() == "paused")
    started = client.of(Started)[-1]
    assert (started.fresh, started.params["lr"], started.log) == (False, 0.01, ())  # type: ignore[attr-defined]
    client.advance(5)
    again = list(client.scalars["loss"])
    assert again[:41] == old
    assert again[-1][0] == 45
    assert grown(client).ghost == 2


def test_a_run_that_is_left_goes_on_later_as_if_nothing_had_been(client: Client) -> None:
    from tests.engine.test_engine import expected

    client.start()
    client.advance(20)
    client.engine.seek(7)
    client.engine.set("lr", 0.004)
    client.engine.advance(9)
    client.until(lambda: begun(client) == 2 and client.status() == "paused")
    client.engine.switch(1)
    client.until(lambda: begun(client) == 3)
    client.advance(10)
    assert client.scalars["loss"] == expected(30)


def test_knobs_turned_in_the_past_wait_and_are_dropped_when_nothing_comes_of_them(client: Client) -> None:
    from tests.engine.test_engine import expected

    client.start()
    client.advance(10)
    client.engine.set("lr", 0.02)
    client.advance(10)
    client.engine.seek(5)
    client.until(lambda: bool(client.of(Sought)))
    assert client.of(Sought)[-1].values["lr"] == 0.01  # type: ignore[attr-defined]
    client.engine.set("lr", 0.3)
    client.until(lambda: Turned(6, "lr", 0.01, 0.3, waiting=True) in client.events)
    client.engine.seek(None)
    client.until(lambda: client.of(Sought)[-1].live)  # type: ignore[attr-defined]
    assert client.of(Sought)[-1].values["lr"] == 0.02  # type: ignore[attr-defined]
    client.engine.set("lr", 0.01)
    client.advance(5)
    assert client.scalars["loss"][:11] == expected(10)
    assert begun(client) == 1
    assert len(grown(client).branches) == 1


def test_what_is_recorded_is_walked_and_played_before_anything_is_learned_anew(client: Client) -> None:
    from tests.engine.test_engine import expected

    client.start()
    client.advance(60)
    client.engine.seek(10)
    client.engine.advance(1)
    client.until(lambda: client.of(Sought)[-1:] == [Sought(11, live=False)])
    client.engine.advance(30)
    client.until(lambda: client.of(Sought)[-1].step == 41)  # type: ignore[attr-defined]
    client.engine.seek(5)
    client.engine.pace(1000.0)
    client.engine.resume()
    client.until(lambda: client.of(Sought)[-1].live and len(client.scalars["loss"]) > 70)  # type: ignore[attr-defined]
    client.engine.pause()
    client.until(lambda: client.status() == "paused")
    shown = [sought.step for sought in client.of(Sought) if not sought.live]  # type: ignore[attr-defined]
    assert shown[-1] > 20
    assert begun(client) == 1
    assert client.scalars["loss"] == expected(client.scalars["loss"][-1][0])


def test_a_knob_turned_while_the_recording_plays_branches_off_and_plays_on(client: Client) -> None:
    client.start()
    client.advance(40)
    client.engine.seek(3)
    client.engine.pace(5.0)
    client.engine.resume()
    client.until(lambda: client.status() == "running")
    client.engine.set("lr", 0.004)
    client.engine.pace(None)
    client.until(lambda: begun(client) == 2 and client.scalars["loss"][-1][0] > 50)
    assert client.of(Started)[-1].branched_from < 40  # type: ignore[attr-defined]
    assert client.status() == "running"
    assert [turned.name for turned in grown(client).branches[-1].log] in (["lr"], [])


def test_a_run_that_had_ended_has_ended_again_when_its_recording_has_been_played(client: Client) -> None:
    client.start(end=12)
    client.engine.resume()
    client.until(lambda: client.status() == "ended")
    client.engine.seek(0)
    client.engine.pace(1000.0)
    client.engine.resume()
    client.until(lambda: client.status() == "running")
    client.until(lambda: client.status() == "ended")
    assert begun(client) == 1
    client.engine.seek(4)
    client.engine.pace(2.0)
    client.engine.resume()
    client.until(lambda: client.status() == "running")
    client.engine.pause()
    client.until(lambda: client.status() == "ended")
    assert not client.of(Sought)[-1].live  # type: ignore[attr-defined]


def test_who_comes_back_to_where_a_branch_began_finds_its_knobs(client: Client) -> None:
    client.start()
    client.advance(10)
    client.engine.seek(4)
    client.engine.set("lr", 0.004)
    client.engine.advance(5)
    client.until(lambda: begun(client) == 2 and client.scalars["loss"][-1][0] == 9)
    client.engine.seek(4)
    client.engine.branch(4)
    client.until(lambda: begun(client) == 3)
    started = client.of(Started)[-1]
    assert started.params["lr"] == 0.004  # type: ignore[attr-defined]
    assert started.log == (Turned(5, "lr", 0.01, 0.004),)  # type: ignore[attr-defined]


def test_a_pause_while_the_past_is_looked_at_brings_its_knobs(client: Client) -> None:
    client.start()
    client.advance(10)
    client.engine.set("lr", 0.02)
    client.engine.resume()
    client.engine.seek(5)
    client.until(lambda: bool(client.of(Sought)))
    assert client.of(Sought)[-1].values["lr"] == 0.02, "it trains on, and knobs are turned there"  # type: ignore[attr-defined]
    client.engine.pause()
    client.until(lambda: client.of(Sought)[-1].values["lr"] == 0.01)  # type: ignore[attr-defined]


def test_runs_can_be_named_deleted_and_brought_back(client: Client) -> None:
    client.start()
    client.advance(10)
    client.engine.forget(1)
    client.until(lambda: bool(client.of(Refused)))
    client.engine.seek(4)
    client.engine.act("bump", 3)
    client.until(lambda: begun(client) == 2)
    client.engine.rename(2, " moved ")
    client.until(lambda: grown(client).branches[-1].name == "moved")
    client.engine.forget(2)  # the one on screen: its parent comes instead
    client.until(lambda: [b.id for b in grown(client).branches] == [1])
    assert begun(client) == 3
    client.engine.bring_back(2)
    client.until(lambda: len(grown(client).branches) == 2)
    assert grown(client).active == 1
    client.engine.switch(2)
    client.until(lambda: begun(client) == 4)
    assert client.of(Started)[-1].log == (Acted(5, "bump"),)  # type: ignore[attr-defined]


def test_a_run_that_only_repeats_another_can_be_brought_back_too(client: Client) -> None:
    client.start()
    client.advance(10)
    client.engine.branch(4)
    client.until(lambda: begun(client) == 2)
    client.engine.forget(2)
    client.until(lambda: [b.id for b in grown(client).branches] == [1])
    client.engine.bring_back(2)
    client.until(lambda: [b.id for b in grown(client).branches] == [1, 2])


def test_the_ghost_is_chosen_or_sent_away(client: Client) -> None:
    client.start()
    client.engine.watch(("cloud",))
    client.advance(10)
    client.engine.seek(4)
    client.engine.set("lr", 0.004)
    client.engine.advance(2)
    client.until(lambda: begun(client) == 2 and GHOST + "cloud" in client.views)
    client.engine.haunt(None)
    client.until(lambda: grown(client).ghost is None)
    assert not client.of(Haunted)[-1].scalars  # type: ignore[attr-defined]
    client.engine.haunt(1)
    client.until(lambda: bool(client.of(Haunted)[-1].scalars))  # type: ignore[attr-defined]


def test_two_runs_of_the_tree_stand_side_by_side_and_part_again(client: Client) -> None:
    from tests.engine.test_engine import expected

    client.start()
    client.advance(60)
    client.engine.seek(20)
    client.engine.set("lr", 0.003)
    client.engine.advance(37)
    client.until(lambda: begun(client) == 2 and client.scalars["loss"][-1][0] == 57)
    other = list(client.scalars["loss"])
    client.engine.set_beside(1, 2)
    client.until(lambda: begun(client) == 3 and client.status() == "paused")
    started = client.of(Started)[-1]
    assert started.spec.beside is not None  # type: ignore[attr-defined]
    assert (started.params["lr"], started.params["b.lr"]) == (0.01, 0.003)  # type: ignore[attr-defined]
    client.until(lambda: "b.loss" in client.scalars and client.scalars["loss"][-1][0] == 57)
    assert client.scalars["b.loss"] == other
    client.advance(13)
    assert client.scalars["loss"] == expected(70), "A goes on as it would have gone on alone"
    assert grown(client).beside == 2
    both = dict(client.scalars)
    client.engine.seek(30)
    client.until(lambda: client.of(Sought)[-1].step == 30)  # type: ignore[attr-defined]
    client.engine.switch(2)
    client.until(lambda: begun(client) == 4)
    tree = grown(client)
    assert (tree.beside, tree.active) == (None, 2)
    assert [(b.id, b.last) for b in tree.branches] == [(1, 70), (2, 70)], "each goes on with what it learned"
    assert client.scalars["loss"] == both["b.loss"]
    client.engine.switch(1)
    client.until(lambda: begun(client) == 5)
    assert client.scalars["loss"] == expected(70)
    client.advance(5)
    assert client.scalars["loss"] == expected(75)


def test_what_was_changed_side_by_side_is_a_branch_of_its_own(client: Client) -> None:
    client.start()
    client.advance(60)
    client.engine.seek(20)
    client.engine.set("lr", 0.003)
    client.engine.advance(20)
    client.until(lambda: begun(client) == 2 and client.scalars["loss"][-1][0] == 40)
    client.engine.set_beside(1, 2)
    client.until(lambda: begun(client) == 3 and client.status() == "paused")
    client.engine.set("lr", 0.002)  # A's: what is recorded of it beyond step 40 stays another run
    client.advance(10)
    client.engine.seek(42)
    client.engine.set("b.lr", 0.001)
    client.engine.advance(3)
    client.until(lambda: begun(client) == 4 and client.status() == "paused")
    client.until(lambda: client.scalars["b.loss"][-1][0] == 45)
    client.engine.switch(1)
    client.until(lambda: begun(client) == 5)
    assert [(b.id, b.parent, b.start, b.last) for b in grown(client).branches] == [
        (1, None, 0, 60), (2, 1, 20, 50), (3, 1, 40, 50), (4, 1, 42, 45), (5, 2, 42, 45),
    ]  # fmt: skip


def test_everything_comes_back_from_a_file(client: Client, tmp_path: Path) -> None:
    client.start()
    client.advance(25)
    client.engine.seek(10)
    client.engine.set("lr", 0.003)
    client.engine.act("bump", 2)
    client.engine.advance(8)
    client.until(lambda: begun(client) == 2 and client.scalars["loss"][-1][0] == 18)
    client.engine.rename(2, "slower")
    path = tmp_path / "a.latentarium"
    client.engine.save(path, {"shown": 12, "selected": [1, 2, 3]})
    client.until(lambda: bool(client.of(Saved)))
    tree, marks = grown(client), client.of(Turned)
    client.advance(6)
    expected_loss = list(client.scalars["loss"])

    client.engine.start(dataclasses.replace(SPEC, seed=5))
    client.until(lambda: begun(client) == 3)
    client.engine.load(path)
    client.until(lambda: bool(client.of(Opened)) and client.status() == "paused")
    assert client.of(Opened)[-1] == Opened(path, {"shown": 12, "selected": [1, 2, 3]})
    started = client.of(Started)[-1]
    assert started.spec.seed == 1  # type: ignore[attr-defined]
    assert not started.fresh  # type: ignore[attr-defined]
    assert started.log == (*[m for m in marks if not m.waiting], Acted(11, "bump"))  # type: ignore[attr-defined]
    again = grown(client)
    assert (again.branches, again.active, again.ghost) == (tree.branches, tree.active, tree.ghost)
    client.advance(6)
    assert client.scalars["loss"] == expected_loss
    client.engine.switch(1)
    client.until(lambda: begun(client) == 5)
    assert client.scalars["loss"][-1][0] == 25


def test_closing_keeps_the_run_where_that_is_wished(client: Client, tmp_path: Path) -> None:
    from engine.core import session

    client.start()
    client.advance(5)
    path = tmp_path / "last.latentarium"
    assert client.engine.close(10, keep=(path, {"tab": 1}))
    assert session.load(path).view == {"tab": 1}
