"""Feature visualisation on the cells themselves: frames that evolve until a cell fires most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from methods.coding._shown import NAMES, NEEDS, Length, Screen, borne_out, driven, own, unit
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats, Share


@dataclass(frozen=True)
class EvolvedStimulus:
    """A frame for each unit, bred by its own firing, as a filter.

    After XDream (Ponce et al. 2019, Cell 177:999; Xiao & Kreiman 2020, PLoS Comput Biol 16:e1007973), without its
    network that makes pictures: pixels are bred. The first generation is noise, and each unit's parent the frames
    weighted by its counts. From then on a unit's offspring are turned by `turn` from its parent in random directions;
    the new parent is the mean of the better half, weighted by rank (an evolution strategy: Hansen & Ostermeier 2001,
    Evol Comput 9:159). All frames have the length of those of the task. Stated is the mean of the parents of the last
    third, if it drives the unit more than noise does, by `least_z` standard errors. The units' frames take turns: each
    unit has its share of the budget alone. There are as many generations, up to `generations`, as the budget has room
    for with the `fewest` offspring each. filters=2: half of the budget looks for a second frame at right angles to the
    first, stated if it drives the unit at least `least_second` as much: what an inexact first one leaves does not.
    """

    name: ClassVar[str] = "evolved_stimulus"
    question: ClassVar[str] = "receptive_field"
    family: ClassVar[str] = "feature visualisation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    generations: Annotated[int, Within(2, 1000)] = 20
    turn: Annotated[float, Within(0.01, 1.5, "rad")] = 0.8
    filters: Annotated[int, Within(1, 2)] = 1
    repeats: Repeats = 20  # of the last test's frames, for each unit
    least_z: Annotated[float, Within(0, 100)] = 3.0
    least_second: Share = 0.25
    fewest: Annotated[int, Within(2, 10_000)] = 12  # offspring of a unit in a generation
    most_frames: Annotated[int, Within(1, 10_000_000)] = 100_000
    duration: Length = 2.0  # of a trial

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """Each unit's filter, or zeros."""
        screen = Screen.at(rig, self.duration)
        if isinstance(screen, Finding):
            return screen
        offspring, generations = self._planned(screen)
        if generations < 3:
            return Finding.abstain(
                f"the budget buys {max(generations, 0)} generations of {self.fewest} frames for each of "
                f"{screen.n_units} units, and 3 are needed"
            )
        found, tests = np.zeros((0, screen.n_units, len(screen.features))), np.zeros((0, screen.n_units, 3))
        for _ in range(self.filters):
            frame = self._evolved(screen, (generations, offspring), found, rng)
            test = frame if isinstance(frame, Finding) else driven(screen, frame, self.repeats, rng)
            if isinstance(frame, Finding) or isinstance(test, Finding):
                return Finding.abstain("what this rig records has no spikes any more")
            tests = np.append(tests, test[None], axis=0)
            found = np.append(found, frame[None], axis=0)
        sure = borne_out(tests, self.least_z, self.least_second)
        stated = np.where(sure[..., None], found, 0.0)
        return Finding(dict(zip(NAMES, stated, strict=False)), notes={"own, noise, z": tests.tolist()})

    def _planned(self, screen: Screen) -> tuple[int, int]:
        """How many offspring of each unit, in how many generations, the budget buys beside the test; whole trials."""
        trial = screen.per_trial
        test = -(-2 * screen.n_units * self.repeats // trial) * trial
        left = screen.affordable(self.most_frames) // self.filters - test
        least = -(-self.fewest * screen.n_units // trial) * trial
        generations = min(self.generations, left // least)
        return max(left // max(generations, 1) // trial * trial // screen.n_units, 0), generations

    def _evolved(
        self, screen: Screen, size: tuple[int, int], taken: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray | Finding:
        """(unit, feature) frames bred in so many (generations, offspring), at right angles to those taken (any, unit,
        feature)."""
        generations, offspring = size
        shape = (screen.n_units, offspring, len(screen.features))
        noise = rng.standard_normal((screen.n_units * offspring, shape[2]))
        counts = screen.answers(noise)
        if isinstance(counts, Finding):
            return counts
        parent = _apart((counts - counts.mean(axis=0)).T @ unit(noise), taken)
        kept = []
        for _ in range(generations - 1):
            mutation = rng.standard_normal(shape)
            mutation = unit(mutation - (mutation * parent[:, None]).sum(axis=2, keepdims=True) * parent[:, None])
            litter = np.cos(self.turn) * parent[:, None] + np.sin(self.turn) * mutation
            counts = own(screen, litter, rng)
            if isinstance(counts, Finding):
                return counts
            parent = _apart((_weights(counts, rng)[..., None] * litter).sum(axis=1), taken)
            kept.append(parent)
        return _apart(np.sum(kept[-max(len(kept) // 3, 1) :], axis=0), taken)


def _weights(counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(unit, offspring) of the better half, log(half + 1) - log(rank), ties in random order; the others have none."""
    n = counts.shape[1]
    rank = np.argsort(np.argsort(-counts - 1e-6 * rng.random(counts.shape), axis=1), axis=1) + 1
    return np.asarray(np.maximum(np.log(n / 2 + 0.5) - np.log(rank), 0.0))


def _apart(frames: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Frames (unit, feature) of length 1, less what they share with others (any, unit, feature) of theirs."""
    left = frames.copy()
    for other in taken:
        left -= (left * unit(other)).sum(axis=1, keepdims=True) * unit(other)
    return unit(left)
