"""Rigs on subjects made of areas that are on or off, and recordings of them: unit i is area i."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import xarray as xr

from circuits.causal.parts import Firing, Layout, PartsSubject
from simlab import registry
from simlab.contracts import Budget, Finding
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.rig import Rig, Setup, mounted
from simlab.session import Session

BRIEFS = {"necessity": {"negligible": 0.02}, "circuit": {"least_faithfulness": 0.8}}
AMPLE = Budget(2000)
QUICK = 0.2
"""Length of a trial [s]: the path through the areas is far shorter."""


def layout(wires: Mapping[tuple[str, str], float], lit: str, output: str, **threshold: float) -> Layout:
    """Areas with names of one letter, wired (pre, post) -> weight, thresholds of 1/2 unless stated.

    lit: the areas that the one pattern lights, which calls for the output's response.
    """
    names = sorted({name for pair in wires for name in pair} | set(lit))
    weights = np.zeros((len(names), len(names)))
    for (pre, post), weight in wires.items():
        weights[names.index(pre), names.index(post)] = weight
    at = np.array([threshold.get(name, 0.5) for name in names])
    shown = np.array([[float(name in lit) for name in names]])
    return Layout(tuple(names), weights, at, shown, (names.index(output),), np.ones((1, 1), bool))


@cache
def subject(areas: Layout, lapse: float = 0.1, name: str = "areas") -> PartsSubject:
    """An animal that lapses; the same one each time, so that its truth is found out once."""
    return PartsSubject(name, areas, Firing(40.0, 4.0, lapse))


EITHER = layout({("a", "c"): 1, ("b", "c"): 1}, "abd", "c")
"""(a or b) and c; d is a bystander that the stimulus drives."""

BOTH = layout({("a", "c"): 1, ("b", "c"): 1}, "abd", "c", c=1.5)
"""a and b and c; d is a bystander."""

PATH = layout({("a", "b"): 1, ("b", "c"): 1, ("b", "d"): 1}, "a", "c")
"""a -> b -> c; d follows b, and nobody listens to it."""

NOBODY = Layout(("a", "b", "c"), np.zeros((3, 3)), np.full(3, 0.5), np.ones((1, 3)), (2,), np.zeros((1, 1), bool), -9.0)
"""Nothing is called for and nothing happens: always right, whoever is silenced."""

CALLED = replace(PATH, patterns=np.array([[1.0, 0, 0, 0], [0, 0, 0, 0]]), wanted=np.array([[True], [False]]))
"""The path in two conditions: the response is called for where a is lit, and not where nothing is."""

BESIDE = replace(EITHER, patterns=np.array([[1.0, 1, 0, 1], [1, 1, 0, 0]]), wanted=np.ones((2, 1), bool))
"""(a or b) and c in two conditions, between which the bystander alone tells."""


@contextmanager
def rig_on(
    animal: PartsSubject,
    brief: Mapping[str, float],
    budget: Budget = AMPLE,
    seed: int = 0,
    outcome: bool = True,
    stimulus: bool = False,
    regions: tuple[int, ...] | None = None,
) -> Iterator[Rig]:
    """A rig on all areas with a perfect implant and an ideal stimulator.

    outcome: whether the task scores one; stimulus: whether its sessions tell theirs, which takes most of the time.
    regions: the number of each unit's region, where the experimenter knows it.
    """
    rng = np.random.default_rng([7, seed])
    implant = Perfect().implant(animal.anatomy, rng)
    actuator = Ideal().install(animal.anatomy, implant.key, rng)

    def run(session: Session) -> xr.Dataset:
        seen = implant.record(animal.run(session, rng), rng)
        return seen if outcome else seen.drop_vars("outcome")

    def propose(trials: int, duration: float) -> Session:
        session = animal.session(trials=trials, duration=duration, rng=rng)
        return session if stimulus else replace(session, stimulus=None)

    n_units = implant.key.sizes["unit"]
    known = {} if regions is None else {"unit_region": ("unit", np.array(regions))}
    units = xr.Dataset(known, {"unit": np.arange(n_units)})
    with mounted(Setup(propose, run, actuator, n_units), units, budget, brief) as rig:
        yield rig


def found(method, animal: PartsSubject, budget: Budget = AMPLE, seed: int = 0, **more: Any) -> Finding:
    """What an active method finds there in quick trials; its spending is among the notes."""
    quick = replace(method, duration=QUICK)
    with rig_on(animal, BRIEFS[method.question], budget, seed, **more) as rig:
        finding = quick.investigate(rig, np.random.default_rng(seed))
        return replace(finding, notes={**finding.notes, "spent": rig.spent})


def scores(finding: Finding, animal: PartsSubject, question: str) -> dict[str, float]:
    """The finding against the truth, by the question."""
    asked = registry.question(question)
    return asked.score(finding, projected(animal, question))


@cache
def projected(animal: PartsSubject, question: str) -> xr.Dataset:
    """The truth over units."""
    rng = np.random.default_rng(0)
    key = Perfect().implant(animal.anatomy, rng).key
    return registry.question(question).project(animal.truth(question, None, rng), key)


def recorded(animal: PartsSubject, trials: int = 200, duration: float = 1.0, seed: int = 0) -> xr.Dataset:
    """What a passive method gets of the natural task."""
    rng = np.random.default_rng([11, seed])
    session = animal.session(trials=trials, duration=duration, rng=rng)
    seen = Perfect().implant(animal.anatomy, rng).record(animal.run(session, rng), rng)
    return seen.assign_attrs(brief=BRIEFS["necessity"] | BRIEFS["circuit"])
