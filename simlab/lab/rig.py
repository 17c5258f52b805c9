"""The rig: subject, implant, stimulator and budget behind one call, for methods that experiment.

A rig holds a number and its budget, nothing else: the setup (the subject itself) lives in a table of this module, so
that a method walking from the rig through attributes and closures meets no truth. That stops accidents and
curiosity; against a determined cheat in the same process, run the method with `strict=True`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import Actuator, Budget, BudgetExceeded, SimlabError
from simlab.data import plain
from simlab.session import Effect, Perturbation, Session


@dataclass
class Setup:
    """The lab's side of a rig."""

    propose: Callable[[int, float], Session]  # the natural task
    run: Callable[[Session], xr.Dataset]  # session with effects on neurons -> blinded Recording
    actuator: Actuator
    n_units: int


_setups: dict[int, Setup] = {}
_numbers = itertools.count(1)


class Rig:
    """What an active method gets. `record` spends the budget and raises BudgetExceeded before going over it."""

    __slots__ = ("_number", "brief", "remaining", "spent", "units")

    def __init__(self, number: int, units: xr.Dataset, budget: Budget, brief: Mapping[str, Any]) -> None:
        self._number = number
        self.units = units
        self.brief = plain(brief)
        self.remaining = budget
        self.spent = Budget(0, 0.0, 0)

    def __repr__(self) -> str:
        return f"<Rig on {self.units.sizes['unit']} units; remaining: {self.remaining}>"

    def session(self, *, trials: int, duration: float) -> Session:
        """The circuit's natural task, ready to be changed and recorded; costs nothing."""
        return _setups[self._number].propose(trials, duration)

    def record(self, session: Session) -> xr.Dataset:
        """Runs a session and returns what the implant saw of it.

        Raises BudgetExceeded if the session costs more than remains, SimlabError if it is impossible.
        """
        setup = _setups[self._number]
        aimed = replace(session, perturbations=tuple(e for p in session.perturbations for e in _aim(setup, p)))
        self._spend(session)
        return setup.run(aimed)

    def _spend(self, session: Session) -> None:
        cost = {
            "trials": session.trials,
            "seconds": session.trials * session.duration,
            "perturbations": session.n_perturbed_trials(),
        }
        for name, amount in cost.items():
            left = getattr(self.remaining, name)
            if amount > left * (1 + 1e-9):
                raise BudgetExceeded(f"the session costs {amount:g} {name}, but {left:g} remain of the budget")
        self.remaining = Budget(**{k: max(getattr(self.remaining, k) - v, 0) for k, v in cost.items()})
        self.spent = Budget(**{k: getattr(self.spent, k) + v for k, v in cost.items()})


def _aim(setup: Setup, perturbation: object) -> tuple[Effect, ...]:
    if not isinstance(perturbation, Perturbation):
        raise SimlabError(
            f"a rig takes Perturbations aimed at units or a region, got {type(perturbation).__name__}: name the targets"
        )
    outside = [t for t in perturbation.targets if not 0 <= t < setup.n_units]
    if outside:
        raise SimlabError(
            f"targets must be units of the implant, 0..{setup.n_units - 1}, got {outside}: aim at recorded units"
        )
    return setup.actuator.aim(perturbation)


@contextmanager
def mounted(setup: Setup, units: xr.Dataset, budget: Budget, brief: Mapping[str, Any]) -> Iterator[Rig]:
    """A rig on this setup, with what the question tells the method; the setup leaves the table afterwards."""
    number = next(_numbers)
    _setups[number] = setup
    try:
        yield Rig(number, units, budget, brief)
    finally:
        del _setups[number]


def known_of_units(n_units: int, positions: dict[str, np.ndarray]) -> xr.Dataset:
    """What the experimenter knows of each unit beforehand: its position [m]."""
    units = xr.Dataset({k: ("unit", np.array(v), {"units": "m"}) for k, v in positions.items()})
    return units.assign_coords(unit=np.arange(n_units))
