"""What a processor's spikes and field potentials look like: figures of Jonas & Kording 2017 that no question scores."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from circuits.causal.microprocessor import Microprocessor
from methods.assemblies._words import synchronous_excess
from simlab.claims import Measured
from simlab.data import bin_spikes
from simlab.instruments.recording.field_potential import FieldPotential
from simlab.statistics.intervals import wilson

PROCESSORS, SEED = 3, 3
TRIALS, DURATION = 30, 2.0
WORD, UNITS, SETS = 5e-3, 64, 10
"""Bin [s] of a word: a quarter of a turn of the clock; units in one, as many transistors as in their figure 6."""

LINE, ASIDE, SLOWEST = 10.0, 10.0, 2.0
"""From SLOWEST [Hz] on, as slower changes are those from trial to trial, a line stands out LINE times over the median
power within ASIDE [Hz] of it: of noise, powers averaged over 30 trials exceed twice their median in less than one of a
million frequencies."""


@lru_cache(maxsize=4)
def synchronous_words(circuit: Microprocessor) -> Measured:
    """The excess of synchronous words over that of independent units: mean over random sets of units of several
    machines, with 95% of a t distribution over sets. A set that never shows such a word has an excess of 0."""
    from scipy.stats import t

    found = []
    for number in range(PROCESSORS):
        rng = np.random.default_rng([SEED, number])
        subject = circuit.subject(rng)
        did = subject.run(subject.session(trials=TRIALS, duration=DURATION, rng=rng), rng)
        words = (bin_spikes(did, WORD).values.reshape(-1, did.sizes["neuron"]) > 0).astype(float)
        live = np.flatnonzero(np.ptp(words, axis=0))
        found += [synchronous_excess(words[:, rng.choice(live, UNITS, replace=False)]) for _ in range(SETS)]
    middle = float(np.mean(found))
    reach = float(t.ppf(0.975, len(found) - 1) * np.std(found, ddof=1) / np.sqrt(len(found)))
    return Measured(middle, middle - reach, middle + reach, len(found), f"median {np.median(found):.3g}")


@lru_cache(maxsize=4)
def rhythmic_regions(circuit: Microprocessor) -> Measured:
    """The share of regions of several machines whose potential has a line in its spectrum, with Wilson's interval."""
    hits = n = 0
    for number in range(PROCESSORS):
        rng = np.random.default_rng([SEED, number])
        subject = circuit.subject(rng)
        did = subject.run(subject.session(trials=TRIALS, duration=DURATION, rng=rng), rng)
        seen = FieldPotential().implant(subject.anatomy, rng).record(did, rng)["signal"].values
        hits, n = hits + int(_lines(seen).any(axis=0).sum()), n + seen.shape[2]
    low, high = wilson(hits, n)
    return Measured(hits / n, low, high, n)


def _lines(signal: np.ndarray) -> np.ndarray:
    """(frequency, unit) where the mean power of trials (trial, sample, unit) stands out from its neighbourhood."""
    from scipy.ndimage import median_filter

    tapered = signal * np.hanning(signal.shape[1])[None, :, None]
    power = (np.abs(np.fft.rfft(tapered, axis=1)) ** 2).mean(axis=0)
    beside = median_filter(power, (2 * round(ASIDE * DURATION) + 1, 1))
    return np.asarray(power > LINE * beside)[round(SLOWEST * DURATION) :]
