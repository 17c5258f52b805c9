"""The rig: subject, implant, stimulator and budget behind one call, for methods that experiment.

A rig holds nothing. Its bench (the setup with the subject, and the account of the budget) lies in a table of this
module, found by which rig it is: a method that walks from the rig through attributes and closures meets no truth, and
nothing that it sets on the rig buys a trial. What a method hands in is copied into plain numbers before it is costed.
That stops accidents and curiosity; against a determined cheat in the same process, run the method with `strict=True`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from simlab.contracts import Actuator, Budget, BudgetExceeded, HouseFault, SimlabError
from simlab.data import UNITS, plain
from simlab.data.vocabulary import DTYPES
from simlab.lab.held_out import check_held_out
from simlab.lab.regions import anonymous, translated
from simlab.rules.received import finite, shown, whole
from simlab.session import Intervention, Perturbation, Session, plain_copy

T = TypeVar("T")

MOST_TRIALS = 100_000
"""Of one session, whatever the budget: more than any animal does in a day."""

MOST_SECONDS = 36_000.0
"""Of one session, all its trials together, whatever the budget [s]: ten hours."""

MOST_VALUES = 10_000_000
"""Of the stimulus of one session: trials x steps x features."""

SHORTEST_TRIAL = 1e-3
"""Less than a spike lasts [s]."""

FINEST_STIMULUS = 1e-4
"""The lab's clock [s]."""


@dataclass
class Setup:
    """The lab's side of a rig."""

    propose: Callable[[int, float], Session]  # the natural task
    run: Callable[[Session], xr.Dataset]  # session with effects on neurons -> blinded Recording
    actuator: Actuator
    n_units: int
    regions: tuple[str, ...] = ()  # the real names of the subject's regions, by the codes that the method knows
    foretell: Callable[[Session], xr.Dataset] | None = None  # what candidate models do in one


@dataclass
class Bench:
    """A mounted setup, what its method is told, and what it may still spend."""

    rig: Rig
    setup: Setup
    units: xr.Dataset
    brief: Mapping[str, Any]
    remaining: Budget
    spent: Budget = field(default_factory=lambda: Budget(0, 0.0, 0, 0))
    done: set[Intervention] = field(default_factory=set)

    def afford(self, cost: Mapping[str, float]) -> None:
        """Raises BudgetExceeded where more is asked for than remains."""
        for name, amount in cost.items():
            left = getattr(self.remaining, name)
            if amount > left * (1 + 1e-9):
                raise BudgetExceeded(f"the session costs {amount:g} {name}, but {left:g} remain of the budget")

    def spend(self, cost: Mapping[str, float]) -> None:
        """Takes a cost from what remains."""
        self.remaining = Budget(**{k: max(left - cost[k], 0) for k, left in asdict(self.remaining).items()})
        self.spent = Budget(**{k: spent + cost[k] for k, spent in asdict(self.spent).items()})


_benches: dict[int, Bench] = {}


class Rig:
    """What an active method gets. `record` spends the budget and raises BudgetExceeded before going over it."""

    __slots__ = ()

    def __repr__(self) -> str:
        if id(self) not in _benches:
            return "<Rig that was taken down>"
        return f"<Rig on {self.units.sizes['unit']} units; remaining: {self.remaining}>"

    @property
    def units(self) -> xr.Dataset:
        """What the experimenter knows of each unit; a copy, as of all that a rig tells."""
        return _bench(self).units.copy(deep=True)

    @property
    def brief(self) -> Mapping[str, Any]:
        """What the question tells the method."""
        return copy.deepcopy(_bench(self).brief)

    @property
    def remaining(self) -> Budget:
        """What the budget still buys."""
        return replace(_bench(self).remaining)

    @property
    def spent(self) -> Budget:
        """What was spent of the budget so far."""
        return replace(_bench(self).spent)

    def session(self, *, trials: int, duration: float) -> Session:
        """The circuit's natural task, ready to be changed and recorded; costs nothing.

        Raises BudgetExceeded where recording it would cost more than remains: it is not even drawn then.
        """
        bench, trials, duration = _bench(self), whole("trials", trials, least=1), finite("a duration", duration)
        blank = Session(trials, duration)
        bench.afford(_cost(blank, bench.done))
        _check_size(blank)
        return plain_copy(bench.setup.propose(trials, duration))

    def record(self, session: Session) -> xr.Dataset:
        """Runs a session and returns what the implant saw of it.

        Raises BudgetExceeded if the session costs more than remains, SimlabError if it is impossible or an intervention
        that the question holds out (`simlab.lab.held_out`); neither costs.
        """
        bench, session = _bench(self), plain_copy(session)
        setup = bench.setup
        _check_aims(session, setup.n_units)
        intents = [translated(p, setup.regions) for p in session.perturbations]  # type: ignore[arg-type]
        cost = _cost(session, bench.done)
        bench.afford(cost)
        _check_size(session)
        if getattr(setup.actuator, "by_trial", False):
            intents = [_with_trials(p, session.trials) for p in intents]
        check_held_out(session, bench.brief, bench.units)
        effects = _told(setup, lambda: tuple(effect for p in intents for effect in setup.actuator.aim(p)))
        aimed = replace(session, perturbations=effects)
        bench.spend(cost)
        bench.done |= session.interventions()
        return _told(setup, lambda: setup.run(aimed))

    def foretell(self, session: Session) -> xr.Dataset:
        """What the candidate models do when they are shown this, undisturbed: a Recording of no unit. Costs nothing.

        Raises SimlabError where the question has no models, or the session could not be recorded either.
        """
        bench, session = _bench(self), plain_copy(session)
        _check_size(session)
        ask = bench.setup.foretell
        if ask is None:
            raise SimlabError("this question has no candidate models, got a request to foretell: record instead")
        return _told(bench.setup, lambda: ask(replace(session, perturbations=())))


def _bench(rig: Rig) -> Bench:
    bench = _benches.get(id(rig))
    if bench is None or bench.rig is not rig:
        raise SimlabError(
            "this rig was taken down when its method ended, or is a copy: use the one that was handed over"
        )
    return bench


def _told(setup: Setup, work: Callable[[], T]) -> T:
    """What the work returns; its refusal is said without the names of regions, in an error that leads nowhere."""
    try:
        return work()
    except HouseFault:
        raise
    except SimlabError as error:
        kind = BudgetExceeded if isinstance(error, BudgetExceeded) else SimlabError
        refusal = kind(anonymous(str(error), setup.regions))
    raise refusal


def _with_trials(perturbation: Perturbation, n_trials: int) -> Perturbation:
    """The same with all its trials named; a lesion names none."""
    named = perturbation.kind == "lesion" or perturbation.trials is not None
    return perturbation if named else replace(perturbation, trials=tuple(range(n_trials)))


def _cost(session: Session, done: Set[Intervention]) -> dict[str, float]:
    return {
        "trials": session.trials,
        "seconds": session.trials * session.duration,
        "perturbations": session.n_perturbed_trials(),
        "interventions": len(session.interventions() - done),
    }


def _check_size(session: Session) -> None:
    """Raises SimlabError for a session that no lab could hold, however large the budget."""
    seconds = session.trials * session.duration
    values = 0 if session.stimulus is None else session.stimulus.values.size
    for amount, most, what in (
        (session.trials, MOST_TRIALS, "trials"),
        (seconds, MOST_SECONDS, "seconds"),
        (values, MOST_VALUES, "stimulus values"),
    ):
        if amount > most:
            raise SimlabError(f"a session has at most {most:g} {what}, got {amount:g}: record several")
    if session.duration < SHORTEST_TRIAL:
        raise SimlabError(f"a trial lasts {SHORTEST_TRIAL:g} s at least, got {session.duration:g}")
    if session.stimulus is not None and session.stimulus.interval < FINEST_STIMULUS:
        raise SimlabError(
            f"a stimulus has an interval of {FINEST_STIMULUS:g} s at least, got {session.stimulus.interval:g}"
        )


def _check_aims(session: Session, n_units: int) -> None:
    for perturbation in session.perturbations:
        if not isinstance(perturbation, Perturbation):
            raise SimlabError(
                "a rig takes Perturbations aimed at units or a region, "
                f"got {type(perturbation).__name__}: name the targets"
            )
        for what, units in (("targets", perturbation.targets), ("onto", perturbation.onto)):
            if outside := [unit for unit in units if not 0 <= unit < n_units]:
                rule = f"{what} must be units of the implant, 0..{n_units - 1}"
                raise SimlabError(f"{rule}, got {shown(outside)}: aim at recorded units")


@contextmanager
def mounted(setup: Setup, units: xr.Dataset, budget: Budget, brief: Mapping[str, Any]) -> Iterator[Rig]:
    """A rig on this setup, with what the question tells the method; the bench leaves the table afterwards."""
    rig = Rig()
    _benches[id(rig)] = Bench(rig, setup, units, plain(brief), replace(budget))
    try:
        yield rig
    finally:
        del _benches[id(rig)]


def known_of_units(n_units: int, known: Mapping[str, Any]) -> xr.Dataset:
    """What the experimenter knows of each unit beforehand: its position [m], the number of its region."""
    units = {
        name: ("unit", np.array(values, dtype=DTYPES.get(name)), {"units": UNITS[name]} if name in UNITS else {})
        for name, values in known.items()
    }
    return xr.Dataset(units, {"unit": np.arange(n_units)})
