"""The regime 'bistable' from population activity that dwells in two states and passes quickly between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.population._population import smoothed, unusable
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count, Level, Repeats, Width

LABEL = "bistable"
GRID = 60
"""Points between the states' means at which the valley is looked for."""


@dataclass(frozen=True)
class Bistability:
    """Says bistable if the population's activity is bimodal and a hidden Markov model finds it dwelling in two states.

    Activity is the mean over units of smoothed rates, or of their signals along the first principal component where
    these have both signs. It must have a valley between two modes (a kernel density that falls to `valley` of the lower
    one: UP and DOWN states in Jercog et al. 2017, eLife 6:e22425, and Sanchez-Vives & McCormick 2000, Nat Neurosci
    3:1027), and the two-state Gaussian model (fitted by expectation maximisation) must visit either for
    `shortest_dwell` on average, often enough. Two modes also follow an input that has two: passive data cannot tell.

    Abstains otherwise, as what is not bimodal may be anything; and where activity is constant or too few trials switch.
    """

    name: ClassVar[str] = "bistability"
    question: ClassVar[str] = "dynamics"
    family: ClassVar[str] = "hidden Markov model"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=5, seconds=10.0)

    bin_width: Width = 0.05  # s
    smoothing: Width = 0.05  # s, of the Gaussian kernel
    valley: Level = 0.6  # of the lower mode's density, at most
    fewest_visits: Count = 10  # of each state
    rarest: Level = 0.05  # share of the time that either state takes, at least
    shortest_dwell: Annotated[float, Within(0, 10, "s")] = 0.1  # s
    iterations: Repeats = 50

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The label or an abstention; the notes hold depth of the valley, dwell times [s] and shares."""
        refusal = unusable(recording, self.needs)
        if refusal is not None:
            return refusal
        values, step = smoothed(recording, self.bin_width, self.smoothing)
        activity = population_activity(values)
        if activity.std() == 0:
            return Finding.abstain("population activity is constant")
        states, means = two_states(activity, self.iterations)
        depth = valley_depth(activity, means)
        visits = [
            int(((states == s) & (np.pad(states, ((0, 0), (1, 0)), constant_values=-1)[:, :-1] != s)).sum())
            for s in (0, 1)
        ]
        share = float((states == 1).mean())
        dwell = [step * (states == s).sum() / max(visits[s], 1) for s in (0, 1)]
        notes: dict[str, object] = {"valley": depth, "share_high": share, "dwell_low": dwell[0], "dwell_high": dwell[1]}
        if depth > self.valley:
            return Finding.abstain(f"activity has one mode: its valley keeps {depth:.2g} of the lower peak")
        if min(share, 1 - share) < self.rarest or min(visits) < self.fewest_visits or min(dwell) < self.shortest_dwell:
            return Finding.abstain(
                f"two modes, and no two states that last: {visits[0]} and {visits[1]} visits of {dwell[0]:.2g} and "
                f"{dwell[1]:.2g} s"
            )
        return Finding({"label": LABEL}, confidence=float(np.clip(1 - depth / 2, 0.5, 0.95)), notes=notes)


def population_activity(values: np.ndarray) -> np.ndarray:
    """(trial, time), of variance 1: along the first principal component of values (trial, time, unit)."""
    flat = values.reshape(-1, values.shape[2])
    centred = flat - flat.mean(axis=0)
    vector = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    along = (centred @ (vector * np.sign(vector.sum() or 1.0))).reshape(values.shape[:2])
    return along / (along.std() or 1.0)


def two_states(activity: np.ndarray, iterations: int) -> tuple[np.ndarray, np.ndarray]:
    """The likelier state (trial, time) at each moment, 0 or 1, and the means (2,) of a Gaussian hidden Markov model.

    Fitted by expectation maximisation (Baum & Welch; Rabiner 1989, Proc IEEE 77:257), from the halves of the data.
    """
    middle = np.median(activity)
    means = np.array([activity[activity <= middle].mean(), activity[activity > middle].mean()])
    spreads, stay = np.full(2, activity.std() / 2), np.full(2, 0.9)
    for _ in range(iterations):
        likelihood = np.exp(-0.5 * ((activity[..., None] - means) / spreads) ** 2) / spreads + 1e-12
        posterior, kept = _smoothed_states(likelihood, np.array([[stay[0], 1 - stay[0]], [1 - stay[1], stay[1]]]))
        weight = posterior.sum(axis=(0, 1))
        means = (posterior * activity[..., None]).sum(axis=(0, 1)) / weight
        spreads = np.sqrt((posterior * (activity[..., None] - means) ** 2).sum(axis=(0, 1)) / weight)
        spreads = np.maximum(spreads, 1e-3 * activity.std())
        stay = np.clip(kept, 0.01, 0.999)
    order = np.argsort(means)
    return posterior[..., order].argmax(axis=2), means[order]


def _smoothed_states(likelihood: np.ndarray, passage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probability (trial, time, state) of each state, and how often each one stays (state,)."""
    bins = likelihood.shape[1]
    forward, backward = np.empty_like(likelihood), np.ones_like(likelihood)
    before = np.full((len(likelihood), 2), 0.5)
    for t in range(bins):
        before = (before @ passage if t else before) * likelihood[:, t]
        forward[:, t] = before = before / before.sum(axis=1, keepdims=True)
    for t in range(bins - 2, -1, -1):
        after = (likelihood[:, t + 1] * backward[:, t + 1]) @ passage.T
        backward[:, t] = after / after.sum(axis=1, keepdims=True)
    posterior = forward * backward
    posterior /= posterior.sum(axis=2, keepdims=True)
    pairs = forward[:, :-1, :, None] * passage * (likelihood * backward)[:, 1:, None, :]
    pairs /= pairs.sum(axis=(2, 3), keepdims=True)
    total = pairs.sum(axis=(0, 1))
    return posterior, np.diag(total) / np.maximum(total.sum(axis=1), 1e-12)


def valley_depth(activity: np.ndarray, means: np.ndarray) -> float:
    """Lowest density between two modes over that of the lower one; 1 where there is one mode.

    A Gaussian kernel density (Silverman 1986, with the narrower state in mind: half his width), from a third of the
    states' distance below the lower mean to as much above the higher.
    """
    flat = activity.ravel()
    width = 0.5 * 1.06 * flat.std() * len(flat) ** -0.2
    apart = means[1] - means[0]
    grid = np.linspace(means[0] - apart / 3, means[1] + apart / 3, GRID)
    edges = np.linspace(flat.min() - 1e-9, flat.max() + 1e-9, 2000)
    counts, centres = np.histogram(flat, edges)[0], (edges[1:] + edges[:-1]) / 2
    density = np.exp(-0.5 * ((grid[:, None] - centres) / width) ** 2) @ counts
    half = GRID // 2
    low, high = int(density[:half].argmax()), half + int(density[half:].argmax())
    return float(density[low : high + 1].min() / min(density[low], density[high]))
