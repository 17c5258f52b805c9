"""What methods share that silence sets of units throughout trials and watch how well the behaviour does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs, Rig
from simlab.data import missing
from simlab.rules import Within
from simlab.session import Perturbation

SCORED = Needs(units=1, outcome=True)
"""What such a method needs of a recording: units to aim at, and an `outcome` of each trial."""

Length = Annotated[float, Within(0.01, 100.0, "s")]
"""Of a trial."""

Strength = Annotated[float, Within(0, 1000, excluding=(0,))]
"""Of a silencing perturbation; 1 keeps most neurons silent (`simlab.perturbations`)."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """How well the behaviour did under each intervention: mean (set,), standard error (set,), trials (set,)."""

    mean: np.ndarray
    error: np.ndarray
    trials: np.ndarray

    @classmethod
    def of(cls, each: Sequence[np.ndarray]) -> Outcomes:
        """Of the outcomes (trial,) under each intervention: a mean of 1/2, and an error as large, of none."""
        return cls(
            np.array([values.mean() if len(values) else 0.5 for values in each]),
            np.array([standard_error(values) if len(values) else 0.5 for values in each]),
            np.array([len(values) for values in each]),
        )


def scored(recording: xr.Dataset) -> np.ndarray | Finding:
    """(trial,) the outcomes; an abstention where the recording lacks what is needed."""
    if reason := missing(recording, SCORED):
        return Finding.abstain(reason)
    return np.asarray(recording["outcome"].values, dtype=float)


class Silencer:
    """Silences sets of units at a rig, so many trials of each, within the budget."""

    def __init__(self, rig: Rig, duration: float, strength: float = 1.0) -> None:
        self.rig, self.duration, self.strength = rig, duration, strength
        self.n_units = rig.units.sizes["unit"]

    def affordable(self, sets: int, controls: int = 0) -> int:
        """How many trials of each of so many different sets, and of `controls` without any, the budget still buys."""
        left = self.rig.remaining
        if sets > left.interventions:
            return 0
        most = min(left.trials, left.seconds / self.duration * (1 + 1e-9)) / max(sets + controls, 1)
        return int(min(most, left.perturbations / max(sets, 1), MOST_EACH))

    def outcomes(self, silenced: np.ndarray, trials: int) -> Outcomes | Finding:
        """Of sets of silenced units (set, unit) bool, so many trials each, in one session; an empty set is a control.

        An abstention where the recording holds no outcome. Which trials get which set is by turns: the task orders its
        conditions at random.
        """
        mine = np.arange(trials * len(silenced)) % len(silenced)
        outcome = self.each(silenced, mine)
        if isinstance(outcome, Finding):
            return outcome
        return Outcomes.of([outcome[mine == number] for number in range(len(silenced))])

    def each(self, silenced: np.ndarray, mine: np.ndarray) -> np.ndarray | Finding:
        """(trial,) outcomes of trials in which set `mine` (trial,) of silenced units (set, unit) bool is silenced.

        In as few sessions as a day's work allows. An abstention where the recording holds no outcome.
        """
        longest = max(1, min(SESSION_TRIALS, int(SESSION_SECONDS / self.duration)))
        found = []
        for begin in range(0, len(mine), longest):
            outcome = self._session(silenced, mine[begin : begin + longest])
            if isinstance(outcome, Finding):
                return outcome
            found.append(outcome)
        return np.concatenate(found) if found else np.empty(0)

    def _session(self, silenced: np.ndarray, mine: np.ndarray) -> np.ndarray | Finding:
        session = self.rig.session(trials=len(mine), duration=self.duration)
        order = np.argsort(mine, kind="stable")
        numbers, first = np.unique(mine[order], return_index=True)
        pulses = [
            Perturbation(
                "silence", tuple(np.flatnonzero(silenced[number]).tolist()), self.strength, 0.0, self.duration,
                trials=tuple(np.sort(trials).tolist()),
            )
            for number, trials in zip(numbers, np.split(order, first[1:]), strict=True)
            if silenced[number].any()
        ]  # fmt: skip
        recording = self.rig.record(session.perturbed(*pulses))
        return scored(recording)


SESSION_TRIALS, SESSION_SECONDS = 20_000, 30_000.0
"""Of one session; more is recorded in several."""

MOST_EACH = 10_000
"""Trials of one set, however large the budget."""


def standard_error(values: np.ndarray) -> float:
    """The standard error of a mean outcome in 0..1, never below that of one trial in n + 2 (Agresti & Coull 1998)."""
    n = len(values)
    share = (values.sum() + 1) / (n + 2)
    return float(max(values.std(ddof=1) / np.sqrt(n) if n > 1 else 0.5, np.sqrt(share * (1 - share) / (n + 2)) * 0.5))


def alone(n_units: int) -> np.ndarray:
    """(unit, unit): each unit silenced by itself."""
    return np.eye(n_units, dtype=bool)


def areas_of(units: xr.Dataset, whole: bool) -> np.ndarray:
    """(part, unit) bool: the units of each area (`unit_region`) if `whole` areas are silenced; else each by itself."""
    if not whole or "unit_region" not in units:
        return alone(units.sizes["unit"])
    area = units["unit_region"].values
    return np.asarray(np.unique(area)[:, None] == area)


def over_units(finding: Finding, parts: np.ndarray) -> Finding:
    """A finding about parts (part, unit) as one about units: importance in equal shares; decided if its part is."""
    part, size = parts.argmax(axis=0), parts.sum(axis=1)
    each = {"importance": (finding.estimate["importance"] / size)[part], "decided": finding.estimate["decided"][part]}
    return replace(finding, estimate=each)


def screened(found: Outcomes, alpha: float) -> Finding:
    """The importances of units by what is lost without each: interventions on each of them, after one on nobody.

    Decided where the loss is significant at a false discovery rate of `alpha`; the notes give controls, trials and p.
    """
    control = float(found.mean[0]), float(found.error[0])
    p = p_of_losses(control, found)[1:]
    notes = {"control_outcome": control[0], "trials_each": int(found.trials[0]), "p": p}
    return Finding({"importance": control[0] - found.mean[1:], "decided": discoveries(p, alpha)}, notes=notes)


def p_of_losses(control: tuple[float, float], other: Outcomes) -> np.ndarray:
    """(set,) two-sided p of each set's difference from the controls' mean and standard error (normal approximation)."""
    from scipy.stats import norm

    z = (control[0] - other.mean) / np.hypot(control[1], other.error)
    return 2 * norm.sf(np.abs(z))


def discoveries(p: np.ndarray, alpha: float) -> np.ndarray:
    """(set,) bool: which p-values survive Benjamini & Hochberg (1995) at rate `alpha`."""
    from scipy.stats import false_discovery_control

    return false_discovery_control(p) <= alpha if len(p) else np.zeros(0, bool)


def too_few(rig: Rig, wanted: str) -> Finding:
    """The abstention of a method whose budget does not buy what it takes."""
    left = rig.remaining
    return Finding.abstain(
        f"the budget of {left.trials:g} trials, {left.seconds:g} s, {left.perturbations:g} perturbations and "
        f"{left.interventions:g} interventions does not buy {wanted}"
    )
