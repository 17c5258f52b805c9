"""What methods share that clamp units to rates of their choice, and watch whether the behaviour becomes another one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from methods.intervention._silencing import Length
from simlab.contracts import Finding, Needs, Rig
from simlab.data import in_window, is_spiking, missing
from simlab.session import Perturbation, Session

__all__ = ["BEHAVING", "Contrasted", "Length", "Patcher", "Seen", "significance"]

BEHAVING = Needs(("spikes", "rate"), units=1, conditions=True, behaviour=True)
"""What such a method needs: rates to clamp to, conditions to take them from, and a behaviour that may change."""

DIFFERENT = 4.0
"""Standard errors by which the behaviours of two conditions differ, without which there is nothing to patch."""


@dataclass(frozen=True, eq=False)
class Seen:
    """A session: each trial's condition, the units' mean rates [Hz], the mean behaviour, and the outcome if scored."""

    condition: np.ndarray  # (trial,)
    level: np.ndarray  # (trial, unit)
    behaviour: np.ndarray  # (trial, factor)
    outcome: np.ndarray | None  # (trial,)


@dataclass(frozen=True, eq=False)
class Contrasted:
    """Two conditions of the task whose behaviours differ most: what units and behaviour do in each, and when."""

    conditions: tuple[int, int]
    level: np.ndarray  # (2, unit) Hz
    behaviour: np.ndarray  # (2, factor)

    @property
    def difference(self) -> np.ndarray:
        """(unit,) [Hz]: the second condition's rates less the first one's."""
        return self.level[1] - self.level[0]

    @property
    def scale(self) -> float:
        """Hz: the root mean square of the units' differences, the size of a change that the task itself makes."""
        return float(np.sqrt(np.mean(self.difference**2)))

    def place(self, condition: np.ndarray) -> np.ndarray:
        """(trial,) 0 or 1: which of the two conditions each trial has; -1 for another one."""
        return np.select([condition == c for c in self.conditions], [0, 1], -1)

    def moved(self, seen: Seen) -> np.ndarray:
        """(trial,) how far the behaviour went to that of the other condition: 0 is not at all, 1 all the way.

        Its deviation from what the condition calls for, projected on the difference of the two; NaN in trials of
        other conditions.
        """
        place = self.place(seen.condition)
        apart = self.behaviour[1] - self.behaviour[0]
        way = np.where(place == 0, 1.0, -1.0) / (apart @ apart)
        return np.where(place < 0, np.nan, ((seen.behaviour - self.behaviour[place]) @ apart) * way)


class Patcher:
    """Records sessions of the natural task in which units are clamped while the stimulus is shown."""

    def __init__(self, rig: Rig, duration: float) -> None:
        self.rig, self.duration = rig, duration
        self.n_units = rig.units.sizes["unit"]

    def affordable(self, clamps: float, interventions: int = 0) -> int:
        """How many trials the budget still buys, of so many clamps each on average; 0 if too few interventions."""
        left = self.rig.remaining
        if interventions > left.interventions:
            return 0
        most = min(left.trials, left.seconds / self.duration * (1 + 1e-9), MOST_TRIALS)
        return int(min(most, left.perturbations / clamps) if clamps else most)

    def session(self, trials: int) -> Session | Finding:
        """A natural one; an abstention where the task has no conditions."""
        session = self.rig.session(trials=trials, duration=self.duration)
        if session.conditions is None or len(set(session.conditions)) < 2:
            return Finding.abstain("the task has fewer than two conditions, from one of which a patch could come")
        return session

    def record(self, session: Session, rates: np.ndarray | None = None) -> Seen | Finding:
        """Records it, with units held at these rates (trial, unit) [Hz] from the stimulus on; NaN leaves one free."""
        start = _onset(session)
        clamps = [] if rates is None else _clamps(rates, start, session.duration)
        recording = self.rig.record(session.perturbed(*clamps))
        if reason := missing(recording, BEHAVING):
            return Finding.abstain(reason)
        level = in_window(recording, start, session.duration - start)
        level = level / (session.duration - start) if is_spiking(recording) else level
        outcome = recording["outcome"].values if "outcome" in recording else None
        return Seen(np.asarray(session.conditions), level, _behaviour(recording, start), outcome)

    def learned(self, trials: int) -> Contrasted | Finding:
        """What the task does by itself, from so many natural trials; an abstention where behaviours do not differ."""
        session = self.session(trials)
        seen = session if isinstance(session, Finding) else self.record(session)
        return seen if isinstance(seen, Finding) else _contrasted(seen)


MOST_TRIALS = 50_000
"""Of one session, however large the budget."""


def _onset(session: Session) -> float:
    """When something is first shown [s]; 0 where nothing is."""
    if session.stimulus is None:
        return 0.0
    shown = np.isfinite(session.stimulus.values).any(axis=(0, 2))
    return float(np.argmax(shown) * session.stimulus.interval) if shown.any() else 0.0


def _clamps(rates: np.ndarray, start: float, stop: float) -> list[Perturbation]:
    """One for each unit and rate."""
    return [
        Perturbation("clamp", (unit,), float(rate), start, stop, tuple(np.flatnonzero(column == rate).tolist()))
        for unit, column in enumerate(rates.T)
        for rate in np.unique(column[np.isfinite(column)])
    ]


def _behaviour(recording: xr.Dataset, start: float) -> np.ndarray:
    """(trial, factor): its mean over the last half of what follows `start` [s]."""
    time = recording["time"].values
    late = time >= (start + float(recording.attrs["duration"])) / 2 - 1e-9
    values = recording["behaviour"].values
    return (values[:, late] if late.any() else values[:, -1:]).mean(axis=1)


def _contrasted(seen: Seen) -> Contrasted | Finding:
    """The two conditions whose behaviours lie farthest apart, if they surely do at all."""
    names = [c for c in np.unique(seen.condition) if np.sum(seen.condition == c) > 1]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    if not pairs:
        return Finding.abstain("the natural trials hold fewer than two conditions twice")
    mean = {c: seen.behaviour[seen.condition == c].mean(axis=0) for c in names}
    best = max(pairs, key=lambda pair: float(np.sum((mean[pair[0]] - mean[pair[1]]) ** 2)))
    errors = [_variance_of_mean(seen.behaviour[seen.condition == c]) for c in best]
    if np.sum((mean[best[0]] - mean[best[1]]) ** 2) <= DIFFERENT**2 * sum(errors) + 1e-12:
        return Finding.abstain("the behaviour is the same in all conditions: no patch could change it into another")
    level = np.stack([seen.level[seen.condition == c].mean(axis=0) for c in best])
    return Contrasted((int(best[0]), int(best[1])), level, np.stack([mean[c] for c in best]))


def _variance_of_mean(values: np.ndarray) -> float:
    return float(values.var(axis=0, ddof=1).sum() / len(values))


def significance(group: np.ndarray, control: np.ndarray) -> float:
    """Two-sided p of a difference of means (Welch 1947), NaN left out; 1 where there is nothing to test.

    Where neither varies, a difference is one for sure: 0.
    """
    from scipy.stats import t

    parts = [each[np.isfinite(each)] for each in (group, control)]
    n = np.array([len(each) for each in parts])
    if n.min() < 2:
        return 1.0
    difference = parts[0].mean() - parts[1].mean()
    variance = np.array([each.var(ddof=1) for each in parts]) / n
    if variance.sum() < 1e-18:
        return float(abs(difference) < 1e-9)
    freedom = variance.sum() ** 2 / (variance**2 / (n - 1)).sum()
    return float(2 * t.sf(abs(difference) / np.sqrt(variance.sum()), freedom))
