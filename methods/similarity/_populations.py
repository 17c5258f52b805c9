"""Two populations' responses to the same stimuli, stimulus by stimulus, and a verdict by permuted stimuli."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import xarray as xr

from methods.population._population import odds_of_significance
from simlab.contracts import Finding, Needs, SimlabError
from simlab.data import in_window, is_spiking, missing
from simlab.rules.quantities import Level, Repeats, Width

NEEDS = Needs(units=4, trials=12, conditions=True)
"""What a comparison of two populations cannot do without."""

WHOLE: Width = 20.0
"""s: as long as any trial here."""

LEAST_STIMULI, LEAST_UNITS, LEAST_REPEATS = 6, 2, 2


class Pair(NamedTuple):
    """Responses (repeat, stimulus, unit) of either population, the same stimuli in the same order."""

    one: np.ndarray
    other: np.ndarray


def pair(recording: xr.Dataset, needs: Needs, *, other_trials: bool = False, window: float = WHOLE) -> Pair | Finding:
    """Each trial's response of either population; an abstention where stimuli, repeats or units are too few.

    Square roots of spike counts, whose variance does not grow with the rate, or a signal's mean, in the first `window`
    [s] of the trial, or all of it. The n-th repeat is the n-th time that a stimulus was shown; stimuli have as many as
    the one that was shown least, of those shown twice. other_trials: even repeats of the first population, odd ones of
    the second: never the same trial.
    """
    if reason := missing(recording, needs):
        return Finding.abstain(reason)
    population = recording["unit_region"].values if "unit_region" in recording else np.zeros(recording.sizes["unit"])
    try:
        seen = in_window(recording, 0.0, min(window, float(recording.attrs["duration"])))
    except SimlabError as no_sample:
        return Finding.abstain(str(no_sample))
    seen = np.sqrt(seen) if is_spiking(recording) else seen
    moving = np.isfinite(seen).all(axis=0)
    moving[moving] = seen[:, moving].std(axis=0) > 0
    sides = [np.flatnonzero(moving & (population == p)) for p in np.unique(population)]
    if len(sides) != 2 or min(map(len, sides)) < LEAST_UNITS:
        return Finding.abstain(
            f"needs two populations of {LEAST_UNITS} active units each, got {[len(units) for units in sides]}"
        )
    trials = repeats(recording["condition"].values)
    if trials.shape[0] < LEAST_REPEATS or trials.shape[1] < LEAST_STIMULI:
        return Finding.abstain(
            f"needs {LEAST_STIMULI} stimuli that were shown {LEAST_REPEATS} times each, got {trials.shape[1]} shown "
            f"{trials.shape[0]} times"
        )
    one, other = (seen[trials][:, :, units] for units in sides)
    if not other_trials:
        return Pair(one, other)
    half = len(trials) // 2
    return Pair(one[0 : 2 * half : 2], other[1 : 2 * half : 2])


def repeats(condition: np.ndarray) -> np.ndarray:
    """(repeat, stimulus): the trials of each stimulus that was shown twice or more, in their order; stimuli sorted."""
    names, counts = np.unique(condition, return_counts=True)
    kept = names[counts >= LEAST_REPEATS]
    number = int(counts[counts >= LEAST_REPEATS].min(initial=condition.size)) if len(kept) else 0
    return (
        np.stack([np.flatnonzero(condition == name)[:number] for name in kept], axis=1)
        if number
        else np.empty((0, 0), dtype=int)
    )


def patterns(responses: np.ndarray) -> np.ndarray:
    """(stimulus, unit): mean responses about their mean over stimuli."""
    mean = responses.mean(axis=0)
    return np.asarray(mean - mean.mean(axis=0))


@dataclass(frozen=True)
class Verdict:
    """How often stimuli are permuted against each other in the second population, and when that is enough."""

    permutations: Repeats = 200
    alpha: Level = 0.05

    def on(self, likeness: Callable[[np.ndarray], float], n_stimuli: int, rng: np.random.Generator) -> Finding:
        """The finding of `likeness`, a function of the order in which the second population's stimuli are taken.

        shared: no more than `alpha` of the orders, the true one among them, are as alike. The stated similarity is cut
        to -1..1.
        """
        true = likeness(np.arange(n_stimuli))
        null = np.array([likeness(rng.permutation(n_stimuli)) for _ in range(self.permutations)])
        p = float((1 + (null >= true - 1e-12).sum()) / (self.permutations + 1))
        odds, found = odds_of_significance(p, self.alpha), p <= self.alpha
        return Finding(
            {"shared": bool(found), "similarity": float(np.clip(true, -1.0, 1.0))},
            confidence=odds if found else 1 - odds,
            notes={"p": p, "by_chance": float(null.mean()), "likeness": float(true)},
        )
