"""The regime 'chaos' from neighbouring states that part exponentially, as no linear noise makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.population._population import smoothed, unusable
from simlab.contracts import Finding, Needs
from simlab.data import is_spiking
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count, Level, Repeats, Width

LABEL = "chaos"
FEWEST_SAMPLES = 20
"""In a trial."""


@dataclass(frozen=True)
class Lyapunov:
    """Says chaos if the largest Lyapunov exponent is positive and the future is more certain than in surrogates.

    The exponent is the slope of the mean logarithm of the distance between a state and its nearest neighbour in another
    trial, as both are followed (Rosenstein, Collins & De Luca 1993, Physica D 65:117); states are scores on the
    principal components that hold `explained` of the variance, which takes the place of delays where many units are
    seen. Noise has positive slopes as well: what marks chaos is that after `horizon` a neighbour still predicts better
    than in surrogates that have the recording's spectra and cross-spectra and are linear (Theiler et al. 1992, Physica
    D 58:77; Prichard & Theiler 1994, PRL 73:951). The share of surrogates that do as well must be below `level`.

    Looks at the first `most_states`. Cost: as many searches for neighbours as there are surrogates, some ten seconds.

    Abstains otherwise: a limit cycle, noise about a fixed point, and chaos in more dimensions than the data fill look
    alike from here; and for spikes, whose counts hide states that are as near as they would have to be.
    """

    name: ClassVar[str] = "lyapunov"
    question: ClassVar[str] = "dynamics"
    family: ClassVar[str] = "state-space reconstruction"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=3, trials=10, seconds=10.0)

    bin_width: Width = 0.02  # s, of spikes
    explained: Level = 0.95
    most_components: Count = 20
    horizon: Annotated[float, Within(1e-3, 100, "s")] = 0.1  # s, over which distances are followed
    references: Count = 500
    level: Level = 0.05
    n_surrogates: Repeats = 19
    most_states: Annotated[int, Within(1000, 10_000_000)] = 20_000  # among which neighbours are looked for

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The label or an abstention; the notes hold the exponent [1/s] and the gain over surrogates."""
        refusal = unusable(recording, self.needs)
        if refusal is not None:
            return refusal
        if is_spiking(recording):
            return Finding.abstain("spikes are too coarse to see neighbouring states part; this needs rates or traces")
        values, step = smoothed(recording, self.bin_width, 0.0)
        ahead = max(3, round(self.horizon / step))
        if values.shape[1] < FEWEST_SAMPLES + ahead:
            return Finding.abstain(f"trials of {values.shape[1]} samples are too short to follow states")
        values = values[: max(self.most_states // values.shape[1], 10)]
        states = scores(values, self.explained, self.most_components)
        if np.abs(np.diff(states, axis=1)).max() < 1e-3 * states.std():
            return Finding.abstain("the signals stand still")
        growth = divergence(states, ahead, self.references, rng)
        exponent = float(np.polyfit(step * np.arange(ahead + 1), growth, 1)[0])
        linear = np.array(
            [divergence(surrogate(states, rng), ahead, self.references, rng)[-1] for _ in range(self.n_surrogates)]
        )
        p_value = float((1 + (linear <= growth[-1]).sum()) / (1 + self.n_surrogates))
        gain = float(np.exp(linear.mean() - growth[-1]))
        if exponent <= 0 or p_value > self.level:
            return Finding.abstain(
                f"no chaos to be seen: exponent {exponent:.2g}/s, and neighbours part {1 / gain:.2f} times as far as "
                f"in linear surrogates (p = {p_value:.2g})"
            )
        notes: dict[str, object] = {"exponent": exponent, "gain": gain, "dimensions": states.shape[2]}
        return Finding({"label": LABEL}, confidence=0.9, notes=notes)


def scores(values: np.ndarray, explained: float, most: int) -> np.ndarray:
    """(trial, time, component): principal components of values (trial, time, unit), for so much of the variance."""
    flat = values.reshape(-1, values.shape[2])
    centred = flat - flat.mean(axis=0)
    power, vectors = np.linalg.eigh(centred.T @ centred)
    share = np.cumsum(power[::-1]) / max(power.sum(), 1e-300)
    n = min(int(np.searchsorted(share, explained)) + 1, most)
    return (centred @ vectors[:, ::-1][:, :n]).reshape(*values.shape[:2], n)


def divergence(states: np.ndarray, ahead: int, references: int, rng: np.random.Generator) -> np.ndarray:
    """(ahead + 1,): mean log distance of states and their nearest neighbours in other trials, 0, 1 ... samples on."""
    from scipy.spatial import cKDTree

    trials, bins, n = states.shape
    usable = bins - ahead
    flat = states[:, :usable].reshape(-1, n)
    owner = np.repeat(np.arange(trials), usable)
    chosen = rng.choice(len(flat), min(references, len(flat)), replace=False)
    near = cKDTree(flat).query(flat[chosen], k=min(usable + 1, 30))[1]
    other = owner[near] != owner[chosen][:, None]
    found = other.any(axis=1)
    first = near[np.arange(len(chosen)), other.argmax(axis=1)][found]
    mine, theirs = ((owner[i], i % usable) for i in (chosen[found], first))
    paths = (states[row[:, None], start[:, None] + np.arange(ahead + 1)] for row, start in (mine, theirs))
    apart = np.linalg.norm(np.subtract(*paths), axis=2)
    return np.log(np.maximum(apart, 1e-12 * states.std())).mean(axis=0)


def surrogate(states: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """States (trial, time, component) with random phases, alike for all components, drawn for each trial."""
    bins = states.shape[1]
    spectrum = np.fft.rfft(states, axis=1)
    phase = rng.uniform(0, 2 * np.pi, spectrum.shape[:2])
    phase[:, 0] = 0.0
    if bins % 2 == 0:
        phase[:, -1] = 0.0
    return np.fft.irfft(spectrum * np.exp(1j * phase)[..., None], bins, axis=1)
