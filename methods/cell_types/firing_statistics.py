"""Firing statistics: units that fire often, evenly and soon after a spike are called inhibitory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs
from simlab.data import durations, mean_rates, missing
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Rate, Share


@dataclass(frozen=True)
class FiringStatistics:
    """Two clusters of units in the space of their firing statistics; the one that fires more is the inhibitory one.

    Rates, and the shape of autocorrelograms, are what tells putative interneurons from pyramidal cells besides the
    waveform (Csicsvari et al. 1999, J Neurosci 19:274; Bartho et al. 2004, J Neurophysiol 92:600; Sirota et al. 2008,
    Neuron 60:683; Petersen et al. 2021, Neuron 109:3594). Of each unit four are taken, standardised over units:

        log rate;   CV2, the local irregularity of intervals (Holt et al. 1996);
        burst ratio: root of the autocorrelogram at 2 to 6 ms over its level (after Royer et al. 2012);
        rise: root of the same at 6 to 30 ms, low where a neuron adapts or integrates slowly.

    `mixture`: a Gaussian mixture of two components with diagonal covariances (scikit-learn); a unit is labelled where
    its posterior reaches `least_posterior` (Stark et al. 2013, Neuron 80:1263, left out those above a misclassification
    of 5%, from memory). Abstains where one Gaussian explains the units as well, by the Bayesian information criterion:
    then there are no two ways of firing to tell apart. `k_means`: two clusters, whatever the units are like. `rate`:
    above `rate_threshold` a unit is inhibitory, whatever the others are like (from memory: Karlsson & Frank 2009).

    That the two ways of firing are the two signs is an assumption that nothing here tests: where interneurons adapt, or
    units have no types, it labels them as surely. Units of fewer than `least_spikes` stay open. Needs eight units or
    more that fire enough, unless `rate` decides. Cost: milliseconds.
    """

    name: ClassVar[str] = "firing_statistics"
    question: ClassVar[str] = "cell_type"
    family: ClassVar[str] = "clustering"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = Needs(("spikes",), equal_trials=False)

    rule: Literal["mixture", "k_means", "rate"] = "mixture"
    """How units are divided."""
    least_posterior: Annotated[float, Within(0.5, 1)] = 0.95
    """Of the likelier component, for a label of a mixture (Stark et al. 2013: 0.95)."""
    rate_threshold: Rate = 7.0
    """Above it a unit is inhibitory, where `rate` decides [Hz] (from memory: Karlsson & Frank 2009)."""
    least_spikes: Annotated[int, Within(10, 1_000_000)] = 100
    """Of a unit that is typed (assumed): of a rate 10%, of CV2 .06 of uncertainty."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """A label for each unit; abstains without spikes, with too few units, or where there is one cluster only."""
        if reason := missing(recording, self.needs):
            return Finding.abstain(reason)
        counts = np.bincount(recording["spike_unit"].values, minlength=recording.sizes["unit"])
        enough = counts >= self.least_spikes
        wanted = 1 if self.rule == "rate" else LEAST_UNITS
        if enough.sum() < wanted:
            return Finding.abstain(f"needs {wanted} units of {self.least_spikes} spikes or more, got {enough.sum()}")
        if self.rule == "rate":
            busy = mean_rates(recording) / self.rate_threshold if self.rate_threshold > 0 else counts
            return _typed(enough, (busy / (1 + busy))[enough], 0.5)
        values = features(recording, enough)
        spread = values.std(axis=0)
        scaled = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        return self._clustered(scaled, enough, int(rng.integers(2**31)))

    def _clustered(self, scaled: np.ndarray, enough: np.ndarray, seed: int) -> Finding:
        from sklearn.cluster import KMeans
        from sklearn.mixture import GaussianMixture

        if self.rule == "k_means":
            cluster = KMeans(2, n_init=10, random_state=seed).fit_predict(scaled)
            busy = int(np.argmax([scaled[cluster == k, 0].mean() for k in (0, 1)]))
            return _typed(enough, (cluster == busy).astype(float), 0.5)
        options: dict[str, Any] = {"covariance_type": "diag", "n_init": 5, "random_state": seed, "reg_covar": 1e-2}
        one, two = (GaussianMixture(k, **options).fit(scaled) for k in (1, 2))
        gain = one.bic(scaled) - two.bic(scaled)
        if gain <= 0:
            return Finding.abstain(f"units fire in one way: two clusters are worse than one (BIC {-gain:.1f} higher)")
        busy = int(np.argmax(two.means_[:, 0]))
        return _typed(enough, two.predict_proba(scaled)[:, busy], self.least_posterior, bic_gain=float(gain))


LEAST_UNITS = 8
"""For two clusters in four dims: below, a diagonal mixture has more parameters (17) than half of the numbers."""

BURST, RISE, LEVEL = WINDOWS = (0.002, 0.006), (0.006, 0.030), (0.1, 0.5)
"""Lags [s] of an autocorrelogram: of bursts, of its rise, and of its level (Royer et al. 2012: bursts 3 to 5 ms, level
200 to 300 ms; here wider, as a unit of 1 Hz has some two pairs in 4 ms of ten minutes)."""


def features(recording: xr.Dataset, enough: np.ndarray) -> np.ndarray:
    """(unit, feature) of the units that fired `enough` (all units,): log rate, CV2, burst ratio, rise."""
    chosen = np.flatnonzero(enough)
    when, unit = _line(recording)
    pairs = np.array([_pairs(when[unit == i]) for i in chosen])  # (unit, window)
    irregular = np.array([_cv2(when[unit == i]) for i in chosen])
    return np.column_stack([np.log(mean_rates(recording)[chosen]), irregular, _ratios(pairs)])


def _line(recording: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Times [s] and units of all spikes, trials one after another, further apart than any lag or interval counts."""
    start = np.concatenate([[0.0], np.cumsum(durations(recording) + PAUSE)])[:-1]
    when = recording["spike_time"].values + start[recording["spike_trial"].values]
    order = np.argsort(when, kind="stable")
    return when[order], recording["spike_unit"].values[order]


PAUSE = 1000.0
"""Put between trials [s]: no interval is as long."""


def _pairs(when: np.ndarray) -> list[int]:
    """How many pairs of spikes are as far apart as each of the windows says."""
    return [int((np.searchsorted(when, when + w[1]) - np.searchsorted(when, when + w[0])).sum()) for w in WINDOWS]


def _ratios(pairs: np.ndarray) -> np.ndarray:
    """Roots of pairs (unit, window) at BURST and at RISE over what LEVEL expects, (unit, 2).

    A unit of few pairs is drawn to the median of the others by `PRIOR_PAIRS` of them: drawn to 1, or not at all, units
    that fire seldom would form a cluster of their own.
    """
    width = np.array([stop - start for start, stop in WINDOWS])
    expected = pairs[:, 2:] / width[2] * width[:2]
    known = expected >= PRIOR_PAIRS
    usual = [
        np.median((n / e)[k]) if k.any() else 1.0
        for n, e, k in zip(pairs.T[:2], _positive(expected).T, known.T, strict=True)
    ]
    return np.sqrt((pairs[:, :2] + PRIOR_PAIRS * np.array(usual)) / (expected + PRIOR_PAIRS))


def _positive(values: np.ndarray) -> np.ndarray:
    return np.maximum(values, 1e-9)


PRIOR_PAIRS = 3.0
"""As many pairs weigh as much as what other units are like (assumed: their root is uncertain by a half of itself)."""


def _cv2(when: np.ndarray) -> float:
    """Mean of 2 |difference| / sum of adjacent intervals within trials: 1 for Poisson, 0 for a clock; 1 if unknown."""
    interval = np.diff(when)
    one, next_one = interval[:-1], interval[1:]
    inside = (one < PAUSE / 2) & (next_one < PAUSE / 2) & (one + next_one > 0)
    if not inside.any():
        return 1.0
    return float(np.mean(2 * np.abs(one - next_one)[inside] / (one + next_one)[inside]))


def _typed(enough: np.ndarray, inhibitory: np.ndarray, least: Share, **notes: Any) -> Finding:
    """The finding of a probability (unit,) to be inhibitory of those units (all units,) that fired enough."""
    score = np.full(len(enough), 0.5)
    score[enough] = inhibitory
    label = np.where(score > 0.5, "I", "E").astype(object)
    label[~enough | (np.maximum(score, 1 - score) < least)] = "?"
    return Finding({"label": label, "score": score}, notes=notes)
