"""What the methods of `effect` share: what a pulse is, sessions of pulses into units, and contrasts of trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import xarray as xr

from methods.wiring._pairs import false_discovery
from simlab.contracts import Finding, Needs, Rig
from simlab.data import in_window, missing
from simlab.rules import Within
from simlab.session import Perturbation, Session

RESPONSES = Needs(("spikes", "rate"), units=2)
"""What a method of responses needs. A signal slower than the window would carry them past its end."""

Trials = Annotated[int, Within(1, 100_000)]
"""Of one session: so many a rig allows."""

Lead = Annotated[float, Within(0, 10.0, "s")]
"""What is recorded of a trial before its pulse."""


@dataclass(frozen=True)
class Pulse:
    """A current [rheobases] for so long [s], and the window from its onset in which responses count [s]."""

    strength: float = 4.0
    duration: float = 10e-3
    window: float = 50e-3

    @classmethod
    def told(cls, brief: Mapping[str, Any]) -> Pulse:
        """The one that the brief asks about."""
        named = (("pulse_strength", "strength"), ("pulse_duration", "duration"), ("response_window", "window"))
        return cls(**{field: float(brief[name]) for name, field in named if name in brief})


@dataclass(frozen=True, eq=False)
class Pulsed:
    """A session in which units were pulsed: each trial's response, what came before it, and who was aimed at."""

    recording: xr.Dataset
    aimed: np.ndarray  # (trial, unit) bool
    response: np.ndarray  # (trial, unit) in the window
    pulse: Pulse
    onset: float  # s


def affordable(rig: Rig, duration: float, most: int) -> int:
    """How many trials of this length [s], each with a pulse, the budget still buys; no more than `most`."""
    left = rig.remaining
    return int(min(left.trials, left.seconds / duration * (1 + 1e-9), left.perturbations, most))


def pulse_units(rig: Rig, pulse: Pulse, aimed: np.ndarray, lead: float) -> Pulsed | Finding:
    """Records trials with one pulse each, `lead` [s] after their onset, into the units aimed at (trial, unit).

    An abstention where the recording is of a kind that cannot be read.
    """
    session: Session = rig.session(trials=len(aimed), duration=lead + pulse.window)
    groups: dict[tuple[int, ...], list[int]] = {}
    for trial, row in enumerate(aimed):
        groups.setdefault(tuple(np.flatnonzero(row).tolist()), []).append(trial)
    pulses = [
        Perturbation("stimulate", units, pulse.strength, lead, lead + pulse.duration, trials=tuple(trials))
        for units, trials in groups.items()
        if units
    ]
    recording = rig.record(session.perturbed(*pulses))
    if reason := missing(recording, RESPONSES):
        return Finding.abstain(reason)
    return Pulsed(recording, aimed, in_window(recording, lead, pulse.window), pulse, lead)


def pulse_groups(
    rig: Rig, pulse: Pulse, lead: float, share: float, trials: tuple[int, int], rng: np.random.Generator
) -> Pulsed | Finding:
    """One session of pulses into random groups of this share of the units; trials: fewest and most of them.

    An abstention where the budget buys fewer, or the recording is of a kind that cannot be read.
    """
    fewest, most = trials
    bought = affordable(rig, lead + pulse.window, most)
    if bought < fewest:
        return too_few(rig, bought, fewest)
    return pulse_units(rig, pulse, random_groups(bought, rig.units.sizes["unit"], share, rng), lead)


def random_groups(n_trials: int, n_units: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """(trial, unit) bool: each unit with this probability, but at most 1 - 1/n of n, in each trial, on its own.

    Groups of one size would make the aims of two units anticorrelated: in a small network whoever is compared over
    trials without a unit then has more of the others, and their effects count against it. A trial in which nobody is
    aimed at is a control.
    """
    return rng.random((n_trials, n_units)) < min(share, 1 - 1 / n_units)


@dataclass(frozen=True, eq=False)
class Contrast:
    """Differences of means (pre, post), their standard errors and degrees of freedom; NaN where there is none."""

    difference: np.ndarray
    error: np.ndarray
    freedom: np.ndarray


def contrast(values: np.ndarray, on: np.ndarray, off: np.ndarray, used: np.ndarray, of: str = "post") -> Contrast:
    """Means of `values` (trial, post) over trials `on` (trial, pre) less those over trials `off`.

    used: (trial, post) bool, trials in which post may be read. of: "pre" where values are those of pre, (trial, pre),
    over the same trials. The variance is pooled over both: that is the one that
    the permutation test has, and a handful of trials in which post was silent does not pass for certainty.
    """
    parts = []
    for chosen in (on.astype(float), off.astype(float)):
        n = chosen.T @ used
        total, squares = (
            chosen.T @ (used * power) if of == "post" else (chosen * power).T @ used for power in (values, values**2)
        )
        mean = np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)
        parts.append((n, mean, squares - n * np.nan_to_num(mean) ** 2))
    (n_on, mean_on, within_on), (n_off, mean_off, within_off) = parts
    freedom = n_on + n_off - 2
    enough = (np.minimum(n_on, n_off) > 0) & (freedom > 0)
    variance = np.maximum(within_on + within_off, 0) / np.where(enough, freedom, np.nan)
    harmonic = 1 / np.where(enough, n_on, np.nan) + 1 / np.where(enough, n_off, np.nan)
    return Contrast(mean_on - mean_off, np.sqrt(variance * harmonic), freedom)


def effects(found: Contrast, alpha: float, **notes: Any) -> Finding:
    """The finding of a t test per pair: responses, effects decided at a false discovery rate, p, 95% intervals.

    Where there was nothing to test the response is 0 and p is 1; intervals are left out if that is so of any pair.
    """
    from scipy.stats import t

    tested = np.isfinite(found.difference) & (found.error > 0) & (found.freedom > 0)
    safe = np.where(tested, found.error, 1.0)
    freedom = np.where(tested, found.freedom, 1.0)
    response = np.where(np.isfinite(found.difference), found.difference, 0.0)
    p = np.where(tested, 2 * t.sf(np.abs(response) / safe, freedom), 1.0)
    estimate = {"response": response, "decided": false_discovery(p, alpha), "p": p}
    if tested[~np.eye(len(p), dtype=bool)].all():
        reach = t.ppf(0.975, freedom) * safe
        estimate |= {"low": response - reach, "high": response + reach}
    return Finding(estimate, notes=notes)


def too_few(rig: Rig, trials: int, wanted: int) -> Finding:
    """The abstention of a method whose budget buys too few trials."""
    left = rig.remaining
    return Finding.abstain(
        f"the budget of {left.trials:g} trials, {left.seconds:g} s and {left.perturbations:g} perturbations buys "
        f"{trials} pulsed trials, and {wanted} are the fewest that say anything of {rig.units.sizes['unit']} units"
    )
