"""Drives one experiment without a thread and without a clock. Tests and the command line use it as it is."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from engine.core.beside import first, prefixed, second
from engine.core.device import choose, thread_count
from engine.core.events import RunSpec, Turned
from engine.core.experiment import Experiment
from engine.core.frame import Beat, Frame, Payload
from engine.core.params import Value, as_dict, change
from engine.core.sound import check_fits, check_pictures, meet
from engine.core.stages import Stages
from engine.core.text import CancelledError, InputError, Text, _
from engine.data import registry
from engine.data.registry import Dataset

if TYPE_CHECKING:
    from engine.core.duo import Duo


UNFIT = _("What was kept of this run does not fit it any more: it cannot go on from there.")


class DivergedError(ArithmeticError):
    """A scalar is no longer a finite number. step: the first such step; name: the scalar."""

    def __init__(self, step: int, name: str) -> None:
        super().__init__(f"{name} is not finite at step {step}")
        self.step = step
        self.name = name


class Runner:
    """One experiment on one data set, and the generator that its ``run()`` returned.

    The first ``next()`` gives the frame of the present state, before anything is learned; each further one a
    step.
    """

    def __init__(
        self,
        experiment_class: type[Experiment[Any]],
        data: Dataset,
        params: Mapping[str, Value],
        *,
        seed: int = 0,
        device: torch.device | None = None,
        threads: int | None = None,
        stages: Stages | None = None,
        tell: Callable[[float], None] = registry.nothing,
    ) -> None:
        """Check everything that can be checked, and set the experiment up.

        Raises:
            InputError: this experiment cannot use this data set, or a parameter is refused.
        """
        info = experiment_class.info
        preset = info.presets.get(data.name, {})
        self.params = change(experiment_class.params_class()(), {**preset, **params})
        self.threads = thread_count(heavy=experiment_class.heavy, wanted=threads)
        torch.set_num_threads(self.threads)
        torch.manual_seed(seed)
        self.info = info
        self.experiment = experiment_class(
            data, self.params, seed=seed, device=device or torch.device("cpu"), stages=stages or Stages(),
            tell=tell,
        )  # fmt: skip
        self.torch_rng = torch.get_rng_state()
        """torch's random state before the first step."""
        self.frame: Frame | None = None
        self.between_steps = True
        self._items: Iterator[Frame | Beat] = iter(self.experiment.run())

    @property
    def step(self) -> int:
        return self.frame.step if self.frame else self.experiment.step

    def next(self) -> Frame | Beat | None:
        """One frame or beat further; None when there is nothing more to learn."""
        item = next(self._items, None)
        self.between_steps = not isinstance(item, Beat)
        if isinstance(item, Frame):
            self.frame = item
            self.experiment.p = self.params  # a knob turned at a beat
        return item

    def next_frame(self) -> Frame | None:
        """To the next frame, past any beats."""
        while isinstance(item := self.next(), Beat):
            pass
        return item

    def wake(self) -> None:
        """Let ``run()`` go on from the present state, such as after an action when it had nothing more to
        learn.
        """
        self._items = iter(self.experiment.run())
        self.next_frame()  # the frame of the present state, already shown

    def set(self, name: str, value: object) -> Turned | None:
        """Turn a live knob; None when it has that value already.

        Raises:
            InputError: no such knob, a value out of range, or a knob that needs a new run.
        """
        new = self.check(name, value)
        old = self.values[name]
        if new == old:
            return None
        self.params = change(self.params, {name: new})
        if self.between_steps:  # an experiment never sees half a change; in the middle of a step it waits
            self.experiment.p = self.params
        return Turned(self.step + (1 if self.between_steps else 2), name, old, new)

    def check(self, name: str, value: object) -> Value:
        """``value`` as the live knob ``name`` takes it.

        Raises:
            InputError: no such knob, a value out of range, or a knob that needs a new run.
        """
        new = as_dict(change(self.params, {name: value}))[name]
        if not self.info.knob(name).live and new != self.values[name]:
            raise InputError(_("{name} can only be chosen before a run starts.", name=name))
        return new

    def ask(self, name: str, *args: Any) -> Any:
        """The answer of query ``name``. Nothing about the training changes by it.

        Raises:
            InputError: this experiment has no such query.
        """
        if name not in self.info.queries:
            raise InputError(_("{title} cannot answer “{name}”.", title=self.info.title, name=name))
        with looking(self.experiment):
            return getattr(self.experiment, name)(*args)

    def act(self, name: str, *args: Any) -> None:
        """Change the run by hand, or pick what its pictures show.

        Raises:
            InputError: this experiment has no such action, or refuses it.
        """
        if name not in (*self.info.actions, *self.info.picks):
            raise InputError(_("{title} does not know “{name}”.", title=self.info.title, name=name))
        getattr(self.experiment, name)(*args)

    def view(self, channel: str) -> Payload:
        """The picture of ``channel`` in the present state. KeyError if the last frame offers none of that
        name.
        """
        assert self.frame is not None, "a picture needs a first frame"
        with looking(self.experiment):
            return self.frame.views[channel]()

    @property
    def values(self) -> dict[str, Value]:
        """Every knob's value."""
        return as_dict(self.params)

    @property
    def data(self) -> Dataset:
        return self.experiment.data

    @property
    def device(self) -> torch.device:
        return self.experiment.device

    @property
    def epoch(self) -> int:
        """How many steps make one pass over the data."""
        return self.experiment.epoch

    @property
    def colourings(self) -> dict[str, Text]:
        """What points can be coloured by."""
        return dict(self.experiment.colourings)

    def ended(self) -> Text | None:
        """Why there is nothing more to learn, or None."""
        return self.experiment.ended()

    def take(self, data: Dataset) -> None:
        """Go on with other data of the same kind (InputError: not with these)."""
        self.experiment.take(data)

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that exist for this kind of data."""
        return tuple(n for n, c in self.info.channels.items() if self.experiment.data.kind in c.kinds)

    def state(self) -> dict[str, Any]:
        """Everything the next step depends on, torch's own random state included."""
        return {
            "experiment": self.experiment.state(),
            "torch_rng": torch.get_rng_state(),
            "params": as_dict(self.params),
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Stand again where ``state()`` was taken; the next frame is that of this state.

        Raises:
            InputError: its parameters are refused, or it does not fit this experiment and these data.
        """
        try:
            check_fits(self.experiment, kept["experiment"])
        except ValueError as error:
            raise InputError(UNFIT) from error
        self.params = self.experiment.p = change(self.params, kept["params"])
        self.experiment.restore(kept["experiment"])
        torch.set_rng_state(kept["torch_rng"])
        self._items = iter(self.experiment.run())
        self.between_steps = True
        self.frame = None


@contextlib.contextmanager
def looking(experiment: Experiment[Any]) -> Iterator[None]:
    """Networks in eval mode, no gradients, and afterwards every random state as before: looking changes
    nothing.
    """
    before, own = torch.get_rng_state(), experiment.rng.get_state()
    training = [m for m in vars(experiment).values() if isinstance(m, torch.nn.Module) and m.training]
    for module in training:
        module.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module in training:
            module.train()
        torch.set_rng_state(before)
        experiment.rng.set_state(own)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """What making a runner sets for the whole process is put back: another one is training."""
    with contextlib.ExitStack() as back:
        _put_back_by(back)
        yield


@contextlib.contextmanager
def attempt() -> Iterator[None]:
    """What making a runner sets for the whole process is put back when the runner cannot be made."""
    with contextlib.ExitStack() as back:
        _put_back_by(back)
        yield
        back.pop_all()


def _put_back_by(back: contextlib.ExitStack) -> None:
    """``back`` shall set what holds for the whole process as it is now."""
    back.callback(torch.set_rng_state, torch.get_rng_state())
    back.callback(torch.set_num_threads, torch.get_num_threads())


def read_scalars(frames: Sequence[Frame]) -> dict[str, tuple[list[int], list[float]]]:
    """The scalars of ``frames`` as {name: (steps, values)}; tensors are fetched from their device in one go.

    Raises:
        DivergedError: one is NaN or infinite.
    """
    tensors = [v.detach().double() for f in frames for v in f.scalars.values() if isinstance(v, torch.Tensor)]
    fetched = iter(torch.stack(tensors).tolist() if tensors else ())
    found: dict[str, tuple[list[int], list[float]]] = {}
    for frame in frames:
        for name, value in frame.scalars.items():
            number = next(fetched) if isinstance(value, torch.Tensor) else float(value)
            if not math.isfinite(number):
                raise DivergedError(frame.step, name)
            steps, values = found.setdefault(name, ([], []))
            steps.append(frame.step)
            values.append(number)
    return found


def explain_failure(error: BaseException) -> Text:
    """One sentence for a learner about why a run stopped."""
    if isinstance(error, InputError):
        return error.sentence
    if isinstance(error, DivergedError):
        return _(
            "{name} is no longer a number at step {step}: the run has diverged. Go back a little, choose a "
            "smaller "
            "learning rate, and play again.",
            name=error.name,
            step=error.step,
        )
    words = str(error).lower()
    if isinstance(error, MemoryError) or "out of memory" in words or "can't allocate memory" in words:
        return _(
            "There was not enough memory for this. Choose a smaller data set or smaller settings, and start "
            "again."
        )
    return _(
        "Something went wrong inside this experiment. What was learned so far is kept; press reset to start "
        "again."
    )


def make_run(
    spec: RunSpec,
    *,
    device: str = "auto",
    threads: int | None = None,
    stages: Stages | None = None,
    data: Dataset | None = None,
    tell: Callable[[float], None] = registry.nothing,
) -> Runner | Duo:
    """The run of ``spec``: one runner, or two where it says what stands beside.

    Raises:
        InputError: something in ``spec`` is unknown, refused, or not to be had here.
    """
    from engine.core.catalogue import find
    from engine.core.duo import Duo

    alone = functools.partial(make_runner, device=device, threads=threads, stages=stages, tell=tell)
    if spec.beside is None:
        return alone(spec, data=data)
    other = dataclasses.replace(spec, experiment=spec.beside.experiment, params=spec.beside.params)
    check_dataset(find(other.experiment), spec.dataset)
    data = load_data(spec, tell) if data is None else data
    a, b = alone(spec, data=data), alone(other, data=data)
    # Where one is content with a sample, the other gets it too: item i is then the same item in both.
    if len(a.data.x) > len(b.data.x):
        a = alone(spec, data=b.data)
    elif len(b.data.x) > len(a.data.x):
        b = alone(other, data=a.data)
    return Duo(a, b)


def stand(spec: RunSpec, kept: Mapping[str, Any], **options: Any) -> Runner | Duo:
    """The run of ``spec`` where its ``state()`` was ``kept``; its next frame is that of this state.

    options: as for ``make_run``.

    Raises:
        InputError: as ``make_run``, or what was kept is refused.
    """
    run = make_run(with_values(spec, values_of(kept)), **options)
    run.restore(kept)
    return run


def look_at(run: Runner | Duo) -> None:
    """Draw all that there is to see of a run that stands at its first frame, and may come from a file.

    Raises:
        InputError: it cannot be drawn.
    """
    try:
        check_pictures(run)
    except (InputError, CancelledError, MemoryError):
        raise
    except Exception as error:  # whatever a state that somebody has made up provokes
        raise InputError(UNFIT) from error


def values_of(kept: Mapping[str, Any]) -> dict[str, Value]:
    """Every knob's value in what ``state()`` gave, of one run or of two side by side."""
    if "params" in kept:
        return dict(kept["params"])
    return {**kept["a"]["params"], **prefixed(kept["b"]["params"])}


def with_values(spec: RunSpec, values: Mapping[str, Value]) -> RunSpec:
    """``spec`` with these knobs, B's among them."""
    beside = spec.beside and dataclasses.replace(spec.beside, params=second(values))
    return dataclasses.replace(spec, params=first(values), beside=beside)


def make_runner(
    spec: RunSpec,
    *,
    device: str = "auto",
    threads: int | None = None,
    stages: Stages | None = None,
    data: Dataset | None = None,
    tell: Callable[[float], None] = registry.nothing,
) -> Runner:
    """The runner of ``spec`` without what stands beside it, its data loaded unless given.

    Raises:
        InputError: something in ``spec`` is unknown, refused, or not to be had here.
    """
    from engine.core.catalogue import find

    experiment_class = find(spec.experiment)
    check_dataset(experiment_class, spec.dataset)
    chosen = choose(device)
    data = data or load_data(spec, tell)
    return Runner(
        experiment_class, data, spec.params, seed=spec.seed, device=chosen, threads=threads, stages=stages,
        tell=tell,
    )  # fmt: skip


def check_dataset(experiment_class: type[Experiment[Any]], dataset: str) -> None:
    """Refuse a data set that this experiment does not take (InputError)."""
    info = experiment_class.info
    if not info.datasets and dataset:
        raise InputError(_("{title} makes up its own data; leave the data set out.", title=info.title))
    if info.datasets and dataset not in info.datasets:
        raise InputError(
            _(
                "{title} has no data set called “{dataset}”; it has {known}.",
                title=info.title,
                dataset=dataset,
                known=", ".join(info.datasets),
            )
        )


def load_data(spec: RunSpec, tell: Callable[[float], None] = registry.nothing) -> Dataset:
    """The data set of ``spec``. Its own seed is fixed: a new seed of a run means a new start on the same
    data.
    """
    data = registry.load(spec.dataset, seed=0, data_dir=spec.data_dir, params=spec.data_params, tell=tell)
    if spec.data_dir is not None:
        meet(spec.data_dir)
    return data
