"""Neurons that vary smoothly, each on its own: no rhythm, no dynamics, no wiring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.latent.processes import stationary
from simlab import truths
from simlab.data import activity, anatomy
from simlab.rules import Within, check_fields
from simlab.session import Session
from simlab.simulators.given_rates import under_effects

TISSUE = 200e-6
"""Edge [m] of the cube in which the neurons lie at random."""


@dataclass(frozen=True)
class IndependentFluctuations:
    """Independent Gaussian fluctuations of rates, which every trial repeats (Shinn 2023, PNAS 120).

        r_i(t) = mean exp(spread s_i(t) - spread^2 / 2) + noise in each trial,   s_i: white noise, smoothed with a
        Gaussian kernel of `smoothness`, of variance 1, the same in all trials

    s_i is what a neuron does after the event that trials are aligned to: neurons differ, and are not related to each
    other. Principal components of many such neurons are nearly half-cosines, since the covariance of times depends on
    their distance alone (a Toeplitz matrix), and smooth eigenvectors of those are cosines. Their spectra fall with
    frequency. Where each trial is to be drawn anew, and latent factors are to be looked for, it is `smooth_noise`.
    """

    name: ClassVar[str] = "independent_fluctuations"
    mechanism: ClassVar[str] = "independent fluctuations"
    questions: ClassVar[tuple[str, ...]] = ("oscillation", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("rate",)

    n_neurons: Annotated[int, Within(2, 10_000)] = 200
    smoothness: Annotated[float, Within(1e-3, 100, "s")] = 0.3  # s, sd of the kernel: a third of a trial of 1 s
    mean_rate: Annotated[float, Within(0.01, 1000, "Hz")] = 10.0
    spread: Annotated[float, Within(0, 2)] = 0.4  # sd of the logarithm of rates
    noise: Annotated[float, Within(0, 1000, "Hz")] = 2.0  # sd of a sample in a single trial
    sample_interval: Annotated[float, Within(1e-3, 0.1, "s")] = 0.01  # s

    def __post_init__(self) -> None:
        check_fields(self)

    def subject(self, rng: np.random.Generator) -> IndependentFluctuationsSubject:
        """One population: its places, and the seed of what each neuron does."""
        place = rng.uniform(0, TISSUE, (self.n_neurons, 3))
        return IndependentFluctuationsSubject(self, int(rng.integers(2**63)), anatomy(place, ["E"] * self.n_neurons))


@dataclass(frozen=True, eq=False)
class IndependentFluctuationsSubject:
    """One population: the seed of its neurons' courses, and anatomy."""

    circuit: IndependentFluctuations
    seed: int
    anatomy: xr.Dataset

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Trials that repeat an event: nothing is shown."""
        return Session(trials, duration)

    def courses(self, n_samples: int) -> np.ndarray:
        """s (time, neuron), of variance 1."""
        c, rng = self.circuit, np.random.default_rng(self.seed)
        time_constant = np.sqrt(2) * c.smoothness  # of the covariance that a kernel of this sd makes
        return stationary((1, n_samples, c.n_neurons), c.sample_interval, time_constant, "gaussian", rng)[0]

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with `rate` (trial, time, neuron) [Hz]; a drive of strength 1 adds the mean rate."""
        c = self.circuit
        n_samples = int(np.ceil(session.duration / c.sample_interval - 1e-9))
        mean = c.mean_rate * np.exp(c.spread * self.courses(n_samples) - c.spread**2 / 2)
        rate = mean + c.noise * rng.standard_normal((session.trials, *mean.shape))
        rate = under_effects(session, rate, c.sample_interval, c.mean_rate)
        return activity(session, c.n_neurons, rate=rate, time=np.arange(n_samples) * c.sample_interval)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`oscillation`: none, as a Gaussian kernel's spectrum falls from frequency 0 on; `connectivity`: no
        synapse."""
        answers = {
            "oscillation": lambda: truths.one(present=False),
            "connectivity": lambda: truths.no_wiring(self.circuit.n_neurons),
        }
        return truths.among(self.circuit.name, question, answers)
