"""A population whose noise looks like the stimulus: what it tells has a limit, however many neurons are added."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.coding.discrimination import (
    Blur,
    Concentration,
    Depth,
    DiscriminatingSubject,
    Discrimination,
    Moments,
    Neurons,
    TuningPeak,
    unconnected,
)  # fmt: skip
from simlab.contracts import Regime
from simlab.rules import Within, check_fields

VISUAL_CORTEX = Regime(
    "V1 under gratings: 1 to 20 Hz, Fano factors 1 to 2, correlations of counts 0 to .2 (Cohen & Kohn 2011)",
    rate=(1, 20), silent=(0, 0.2), interval_cv=(0.7, 1.6), fano=(0.8, 2.0), correlation=(-0.02, 0.2),
)  # fmt: skip


@dataclass(frozen=True)
class InformationLimiting:
    """Tuned neurons that see the stimulus blurred, all with one blur: differential correlations.

        log rate_i = log f_i(s) + g_i eta + gain z + drift d_i - (variance of the noise) / 2
        f_i(s) = peak exp( sharpness (cos 2(s - phi_i) - 1) ),   g_i = d log f_i / ds at the reference,
        eta ~ N(0, blur^2), z ~ N(0, 1) in each trial, for all neurons; d_i(t): slow, each neuron's own

    Counts are Poisson at these rates, so that mean counts are f_i(s) T and rates have the covariance
    f_i f_j (exp(L_ij) - 1), L = blur^2 g g' + gain^2 + drift^2 1. Its first term is blur^2 f' f'^T, differential
    correlations (Moreno-Bote et al. 2014, Nat Neurosci 17:1410), the rest is positive, so that Fisher information in
    counts never exceeds 1 / blur^2. phi_i: even over the circle; z is the gain that cortex shares (Goris et al. 2014).
    d is a Gaussian process of unit variance over trials, correlated by exp(-1 / drift_trials) from each to the next:
    where stimuli come in blocks, drift separates them though nothing be coded.

    Truth of `information`: mean counts and their covariance at both stimuli, from these equations. It saturates unless
    blur is 0.
    """

    name: ClassVar[str] = "information_limiting"
    mechanism: ClassVar[str] = "noise along the code"
    questions: ClassVar[tuple[str, ...]] = ("information", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = VISUAL_CORTEX

    n_neurons: Neurons = 60
    peak: TuningPeak = 10.0  # Hz, at the preferred orientation
    sharpness: Concentration = 2.0  # half width at half height 25 degrees
    blur: Blur = 0.09  # 5 degrees: with one trial of half a second, what it limits is d' = 1 at that distance
    gain: Depth = 0.1  # standard deviation of the shared log gain
    drift: Depth = 0.0  # standard deviation of each neuron's own slow log gain
    drift_trials: Annotated[float, Within(0.1, 1e6)] = 20.0  # over which drift forgets itself
    task: Discrimination = field(default_factory=Discrimination)

    def __post_init__(self) -> None:
        check_fields(self)

    def prior(self, rng: np.random.Generator) -> InformationLimiting:
        """Blurs of 3 to 8 degrees, and gains as reported."""
        return replace(self, blur=float(rng.uniform(0.05, 0.14)), gain=float(rng.uniform(0.05, 0.2)))

    def subject(self, rng: np.random.Generator) -> DiscriminatingSubject:
        """One individual: its neurons' preferred orientations."""
        code = drawn(self, rng)
        return subject_of(self, self, code, code.relative_slope(), rng)


@dataclass(frozen=True, eq=False)
class Code:
    """Tuning curves of one individual. preferred: (neuron,) [rad]."""

    peak: float
    sharpness: float
    preferred: np.ndarray

    def rates(self, stimulus: np.ndarray) -> np.ndarray:
        """(trial, neuron) [Hz] mean rates at each stimulus (trial,) [rad]."""
        return np.asarray(self.peak * np.exp(self.sharpness * (np.cos(2 * (stimulus[:, None] - self.preferred)) - 1)))

    def relative_slope(self) -> np.ndarray:
        """(neuron,) [1/rad] of log rates at the reference."""
        return np.asarray(2 * self.sharpness * np.sin(2 * self.preferred))


def drawn(circuit: InformationLimiting, rng: np.random.Generator) -> Code:
    """Preferred orientations at even distances, from a random one on, numbered at random."""
    n = circuit.n_neurons
    even = (rng.permutation(n) + rng.random()) * np.pi / n
    return Code(circuit.peak, circuit.sharpness, even)


def subject_of(
    circuit: object, like: InformationLimiting, code: Code, loading: np.ndarray, rng: np.random.Generator
) -> DiscriminatingSubject:
    """An individual of `circuit` with the parameters of `like`: blur acts through `loading` (neuron,) [1/rad]."""
    saturates = None if like.sharpness == 0 else bool(like.blur > 0 and np.allclose(loading, code.relative_slope()))
    log_covariance = like.blur**2 * np.outer(loading, loading) + like.gain**2 + like.drift**2 * np.eye(len(loading))

    def rates(stimulus: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        eta, z = like.blur * rng.standard_normal((len(stimulus), 1)), rng.standard_normal((len(stimulus), 1))
        noise = eta * loading + like.gain * z
        if like.drift > 0:
            noise = noise + like.drift * slow((len(stimulus), len(loading)), like.drift_trials, rng)
        return np.asarray(code.rates(stimulus) * np.exp(noise - np.diag(log_covariance) / 2))

    def moments(stimulus: np.ndarray) -> Moments:
        mean = code.rates(stimulus)
        return Moments(mean, mean[:, :, None] * mean[:, None, :] * np.expm1(log_covariance))

    nothing = np.zeros((len(loading), len(loading)))
    return DiscriminatingSubject.placed(circuit, unconnected(rates), moments, saturates, nothing, rng)


def slow(shape: tuple[int, int], memory: float, rng: np.random.Generator) -> np.ndarray:
    """(trial, neuron): processes of unit variance that forget themselves over so many trials."""
    kept, values = np.exp(-1 / memory), rng.standard_normal(shape)
    for trial in range(1, shape[0]):
        values[trial] = kept * values[trial - 1] + np.sqrt(1 - kept**2) * values[trial]
    return np.asarray(values)
