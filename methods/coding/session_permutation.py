"""Tuning against a null made of the same animal's other sessions: an experimenter's answer to slow variables."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from math import factorial
from typing import Annotated, ClassVar

import numpy as np

from methods.coding._regression import NEEDS, named, t_values
from methods.coding._values import Seen, seen
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats

SHORTEST = 20
"""Trials of a session, without which nothing is fitted to it."""


@dataclass(frozen=True)
class SessionPermutation:
    """The mean t of a regression over sessions, ranked among those of activity with the behaviour of other sessions.

    The budget is spent on `sessions` of equally many trials. In each, counts are regressed on all variables as they
    were in that session, and as they were in every other; if units code nothing, sessions of behaviour may be
    exchanged, and the size of the mean of t over sessions has one distribution under all of their orders, however slow
    both are and whatever their law (session permutation: Harris 2020, bioRxiv 2020.11.29.402719). It takes units that
    are followed through sessions, and behaviour that is as likely in each. Of all orders `orders` are drawn, if there
    are more. Cost: a fit for each pair of sessions.
    """

    name: ClassVar[str] = "session_permutation"
    question: ClassVar[str] = "tuning"
    family: ClassVar[str] = "permuted sessions"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    level: Level = 0.05
    sessions: Annotated[int, Within(4, 1000)] = 6
    orders: Repeats = 1000

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """Each unit's variable; notes: p."""
        if (1 + 1e-9) / factorial(self.sessions) > self.level:
            return Finding.abstain(f"{self.sessions} sessions have too few orders for a level of {self.level}")
        left = rig.remaining
        trials = int(left.trials // self.sessions)
        if trials < SHORTEST:
            return Finding.abstain(f"{left.trials:g} trials make no {self.sessions} sessions of {SHORTEST}")
        duration = float(np.floor(min(1.0, left.seconds / (trials * self.sessions)) * 100) / 100)
        if duration <= 0:
            return Finding.abstain(f"{left.seconds:g} s are too few for {trials * self.sessions} trials")
        found: list[Seen] = []
        for _ in range(self.sessions):
            recording = rig.record(rig.session(trials=trials, duration=duration))
            one = seen(recording.assign_attrs(brief=dict(rig.brief)), self.needs)
            if isinstance(one, Finding):
                return one
            found.append(one)
        p = self._p(np.stack([[t_values(a.counts, b.variables) for b in found] for a in found]), rng)
        return Finding({"variable": named(p <= self.level, found[0].names)}, notes={"p": p.tolist()})

    def _p(self, t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(unit, variable) of t (session of activity, session of behaviour, unit, variable)."""
        n = len(t)
        if factorial(n) <= self.orders:
            orders = np.array(list(permutations(range(n))))
        else:
            orders = np.argsort(rng.random((self.orders, n)), axis=1)
            orders[0] = np.arange(n)
        sizes = np.abs(np.stack([t[np.arange(n), order].mean(axis=0) for order in orders]))
        return np.asarray((sizes >= sizes[0] - 1e-12).mean(axis=0))
