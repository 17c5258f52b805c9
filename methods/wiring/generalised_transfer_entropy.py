"""Generalised transfer entropy: transfer entropy with the same bin's source, while the population is quiet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.wiring._correlations import rolled
from methods.wiring._pairs import abstention, edges, surrogate_p
from simlab.contracts import Finding, Needs
from simlab.data import is_spiking, signals
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Width


@dataclass(frozen=True)
class GeneralisedTransferEntropy:
    """Generalised transfer entropy (Stetter et al. 2012, PLoS Comput Biol 8:e1002653; Orlandi et al. 2014, PLoS ONE
    9:e98842), made for calcium imaging.

        GTE = sum p(x_n, x_past, y_word | g_n <= g') log2 [p(x_n | x_past, y_word, g_n <= g') / p(x_n | x_past, g_n <=
        g')]

    with x_past the `order` samples before n of the target and y_word as many of the source, the last one n itself: at
    20 to 50 ms per frame an effect falls into its cause's own frame (`same_bin`; otherwise up to n - 1). g is the mean
    over all units; samples at which the population bursts and everybody follows everybody are left out. Stetter et al.
    set g' by eye just right of the peak of g's histogram, so here it is `quiet` robust deviations above the median. A
    lower level costs much where few units are seen: their own joint events are then what makes g high. Fluorescence is
    differenced and cut into `levels` of equal width between a unit's extremes; spikes are counted, a bin has one or
    none.

    The papers rank pairs by GTE and cut at a share of pairs, or of false ones that a simulation tells; there is no test
    in them. Here every unit is shifted in time by itself, within each trial and around its end, g' found anew, and the
    excess of sqrt(2 N ln(2) GTE) over each pair's mean of such surrogates has its p from all pairs' surrogates
    together, for a false discovery rate. That keeps each unit's own dynamics and no relation, so what is decided is
    dependence: common input, and chains, count as edges, and so do both directions of one edge if an effect falls into
    its own bin. GTE has no sign; the one given is that of the covariance of x_n and y_word's sum at the quiet samples,
    beyond the surrogates': of two units that make up much of a low mean, one is silent when the other is not.

    Of 30 recordings of 4 to 20 independent units each, 1 (Poisson), 0 (refractory), 3 (slowly fluctuating) and 4
    (bursts of 1 to 5 spikes) had a false edge: pairs of bursting units differ in their surrogates' spread.

    Cost: (1 + surrogates) products of (samples x units levels^(order + 1)) with (samples x units levels^order).
    """

    name: ClassVar[str] = "generalised_transfer_entropy"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "information theory"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=2)

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.005
    """Bins of the spike counts [s]: some synaptic delay, as the papers' 20 ms are for the slower signals of cultures;
    ignored for continuous signals, which keep their sampling."""
    order: Annotated[int, Within(1, 4)] = 2
    """Samples in a word (Stetter et al. 2012: Markov order 2)."""
    levels: Annotated[int, Within(2, 6)] = 3
    """Levels of the differenced signal (the code of Stetter et al. 2012)."""
    same_bin: bool = True
    """Whether the source's word ends with the target's own bin (Stetter et al. 2012)."""
    quiet: Annotated[float, Within(0, float("inf"))] = 3.0
    """Robust deviations (1.4826 of the median one) of the population's mean above its median up to which samples count:
    leaves out next to nothing of a Gaussian; infinity leaves out nothing."""
    surrogates: Annotated[int, Within(2, 1_000_000)] = 20
    """Shifted copies of the recording."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Graded, decided and signed edges (pre, post); works on spikes and on any signal."""
        if reason := abstention(recording, self.needs, self.bin_width):
            return Finding.abstain(reason)
        counted = is_spiking(recording)
        trace = signals(recording, self.bin_width).values.astype(float)
        if not np.isfinite(trace).all():
            return Finding.abstain("the signals hold values that are not finite: drop or fill those samples")
        if trace.shape[1] < self.order + 3:
            return Finding.abstain(f"trials of {trace.shape[1]} samples are too short for words of {self.order}")
        states, level = (np.minimum(trace, 1).astype(np.uint8), trace) if counted else self._discretised(trace)
        n_levels = 2 if counted else self.levels
        root, covariance, n_samples = self._root(states, level, n_levels)
        copies = (shift_each(states, level, rng) for _ in range(self.surrogates))
        null, by_chance, _ = zip(*(self._root(*copy, n_levels) for copy in copies), strict=True)
        excess, p = surrogate_p(root, np.stack(null))
        sign = covariance - np.mean(by_chance, axis=0)
        informed = np.ptp(states, axis=(0, 1)) > 0
        p = np.where(np.outer(informed, informed), p, 1.0)
        bits = root**2 / (2 * np.log(2) * max(n_samples, 1))
        return edges(np.maximum(excess, 0.0), p, sign, self.alpha, bits=bits, samples=n_samples)

    def at_resolution(self, interval: float) -> GeneralisedTransferEntropy:
        """The same measure for spike times known only to `interval` [s]."""
        return replace(self, bin_width=max(self.bin_width, interval))

    def _discretised(self, trace: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Levels of the differences (trial, time, unit), and the signal that goes with each."""
        steps = np.diff(trace, axis=1)
        low, span = steps.min(axis=(0, 1)), np.ptp(steps, axis=(0, 1))
        part = (steps - low) / np.where(span > 0, span, 1.0)
        return np.minimum((part * self.levels).astype(np.uint16), self.levels - 1), trace[:, 1:]

    def _root(self, states: np.ndarray, level: np.ndarray, n_levels: int) -> tuple[np.ndarray, np.ndarray, int]:
        """sqrt(2 N ln(2) GTE) and covariance, both (source, target), and N, the samples at which all is quiet."""
        past, n_samples = self.order, states.shape[1]
        mean = level.mean(axis=2)[:, past:]
        quiet = mean <= quiet_level(mean, self.quiet)
        now = states[:, past:][quiet]
        before = [states[:, past - lag : n_samples - lag][quiet] for lag in range(1, past + 1)]
        source = [now, *before[:-1]] if self.same_bin else before
        target, driver = words([now, *before], n_levels), words(source, n_levels)
        counts = joint_counts(driver, target, n_levels**past, n_levels ** (past + 1))
        return np.sqrt(2 * information(counts, n_levels)), _covariance(source, now), len(now)


def quiet_level(mean: np.ndarray, deviations: float) -> float:
    """The median and so many robust deviations; plain ones where more than half of the values are one and the same."""
    median = float(np.median(mean))
    spread = 1.4826 * float(np.median(np.abs(mean - median))) or float(mean.std())
    return median + deviations * spread if spread else median


def shift_each(states: np.ndarray, level: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Both (trial, time, unit) rolled around each trial's end, every trial of every unit by a draw of its own."""
    n_trials, n_samples, n_units = states.shape
    start = rng.integers(0, n_samples, (n_trials, 1, n_units))
    return rolled(states, start), rolled(level, start)


def words(samples: list[np.ndarray], n_levels: int) -> np.ndarray:
    """One whole number per word: the first sample counts least."""
    number = samples[-1].astype(np.uint32)
    for sample in reversed(samples[:-1]):
        number *= n_levels
        number += sample.astype(np.uint32)
    return number


def joint_counts(driver: np.ndarray, target: np.ndarray, n_driver: int, n_target: int) -> np.ndarray:
    """How often which words (row, unit) meet: (source, target, source's word, target's word).

    Rows in which a source says what it mostly says, such as nothing, are not looked at: their counts are what is left
    of the target's own.
    """
    from methods.wiring._word_counts import count_meetings

    n = driver.shape[1]
    counts = np.zeros((n, n, n_driver, n_target), dtype=np.int64)
    heard, said = (np.ascontiguousarray(words.T.astype(np.uint32)) for words in (driver, target))
    usual = np.array([np.bincount(word, minlength=n_driver).argmax() for word in heard], dtype=np.int64)
    places = [np.flatnonzero(word != common) for word, common in zip(heard, usual, strict=True)]
    count_meetings(np.concatenate(places), np.cumsum([0, *map(len, places)]), heard, said, counts)
    own = np.stack([np.bincount(word, minlength=n_target) for word in said])
    counts[np.arange(n), :, usual] = own - counts.sum(axis=2)
    return counts.astype(float)


def information(counts: np.ndarray, n_levels: int) -> np.ndarray:
    """N x conditional mutual information [nats] (source, target) of x_n and the source's word, given x's past.

    counts: (source, target, source's word, target's word), x_n the word's lowest digit.
    """
    from scipy.special import xlogy

    joint = counts.reshape(*counts.shape[:3], -1, n_levels)  # (..., y word, x past, x now)
    by_word, by_now = joint.sum(axis=4), joint.sum(axis=2)
    total = xlogy(joint, joint).sum(axis=(2, 3, 4)) - xlogy(by_word, by_word).sum(axis=(2, 3))
    past = by_now.sum(axis=3)
    total += xlogy(past, past).sum(axis=2) - xlogy(by_now, by_now).sum(axis=(2, 3))
    return np.maximum(total, 0.0)


def _covariance(sources: list[np.ndarray], target: np.ndarray) -> np.ndarray:
    """Of the sources' sum and the target: (source, target)."""
    source, rows = sources[0].astype(float), max(len(target), 1)
    for other in sources[1:]:
        source += other
    source -= source.mean(axis=0)
    return source.T @ (target - target.mean(axis=0)) / rows
