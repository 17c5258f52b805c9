"""From neural activity to the blood-oxygen-level-dependent signal: the balloon model and the canonical response."""

from __future__ import annotations

import numpy as np

EFFICACY = 0.54  # epsilon [1/s]: what activity 1 adds to the vasodilatory signal (Friston et al. 2000, mean)
SIGNAL_DECAY = 0.64  # kappa [1/s] (this and what follows: prior means of SPM12; Stephan et al. 2007, NeuroImage 38:387)
FEEDBACK = 0.32  # gamma [1/s], autoregulation by blood flow
TRANSIT_TIME = 2.0  # tau [s], of blood through the venous balloon
STIFFNESS = 0.32  # alpha, Grubb's exponent
EXTRACTION = 0.4  # rho, share of oxygen extracted at rest
BLOOD_VOLUME = 0.04  # V0, venous volume fraction at rest
ECHO_TIME = 0.04  # s
WEIGHTS = (4.3 * 40.3 * EXTRACTION * ECHO_TIME, 25 * EXTRACTION * ECHO_TIME, 0.0)
"""k1, k2, k3 at 1.5 T, of an intra- to extravascular ratio of 1 (Stephan et al. 2007, eq. 12)."""

LEAST_FLOW = 0.1
"""Share of resting flow that is left at least: the flow's equation is linear and knows no zero (assumed)."""

STRONGEST = 10.0
"""Activity up to which the balloon's volume follows within a step; flow is then 18 times that at rest."""

STEP = 0.1
"""s, about what a haemodynamic step lasts: a fifteenth of the fastest time constant."""

PEAK = {"balloon": 4.5, "canonical": 5.0}
"""s from a brief burst of activity to the peak of its response, by model; a test holds it against the equations."""

KERNEL_LENGTH = 40.0
"""s after which the canonical response is over: 32 s (Friston et al. 1998), and slow vessels."""


def balloon(activity: np.ndarray, step: float, speed: np.ndarray) -> np.ndarray:
    """Fractional signal change (time, region) of activity (time, region), steps of `step` [s]; relative to rest.

        s' = epsilon z - kappa s - gamma (f - 1)       f' = s
        tau v' = f - v^(1/alpha)                       tau q' = f E(f) / rho - v^(1/alpha) q / v
        y = V0 [k1 (1 - q) + k2 (1 - q / v) + k3 (1 - v)],   E(f) = 1 - (1 - rho)^(1 / f)

    with vasodilatory signal s, blood flow f, volume v and deoxyhaemoglobin q, 1 at rest (Buxton, Wong & Frank 1998,
    Magn Reson Med 39:855; Friston, Harrison & Penny 2003, NeuroImage 19:1273). Activity holds for a step, and the
    signal is that of the step's start; by Heun's method, of v and q as logarithms (Stephan et al. 2008, NeuroImage
    42:649). `speed` (region,) divides all time constants. Starts where the mean activity would keep it.
    """
    state = _equilibrium(activity.mean(axis=0))
    pace = step * speed
    found = np.empty_like(activity)
    for k, z in enumerate(activity):
        found[k] = _signal(state)
        slope = _slope(state, z)
        state = state + pace * (slope + _slope(state + pace * slope, z)) / 2
    return found


def _equilibrium(z: np.ndarray) -> np.ndarray:
    """(s, f, ln v, ln q) x region under steady activity z (region,)."""
    flow = 1 + EFFICACY * z / FEEDBACK
    open_ = np.maximum(flow, LEAST_FLOW)
    volume = open_**STIFFNESS
    return np.stack([np.zeros_like(z), flow, np.log(volume), np.log(volume * _extraction(open_) / EXTRACTION)])


def _extraction(flow: np.ndarray) -> np.ndarray:
    """Share of its oxygen that blood gives up at this flow."""
    return 1 - (1 - EXTRACTION) ** (1 / flow)


def _slope(state: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Time derivative of (s, f, ln v, ln q) x region under activity z (region,)."""
    signal, flow, log_volume, log_deoxy = state
    out, into = np.exp(log_volume / STIFFNESS), np.maximum(flow, LEAST_FLOW)
    turnover = out * np.exp(-log_volume)
    found = np.empty_like(state)
    found[0] = EFFICACY * z - SIGNAL_DECAY * signal - FEEDBACK * (flow - 1)
    found[1] = signal
    found[2] = (into * np.exp(-log_volume) - turnover) / TRANSIT_TIME
    found[3] = (into * _extraction(into) / EXTRACTION * np.exp(-log_deoxy) - turnover) / TRANSIT_TIME
    return found


def _signal(state: np.ndarray) -> np.ndarray:
    """y (region,) of (s, f, ln v, ln q) x region."""
    volume, deoxy = np.exp(state[2]), np.exp(state[3])
    first, second, third = WEIGHTS
    return BLOOD_VOLUME * (first * (1 - deoxy) + second * (1 - deoxy / volume) + third * (1 - volume))


def plateau(z: float) -> float:
    """Fractional signal change of the balloon under steady activity z."""
    return float(_signal(_equilibrium(np.array([z])))[0])


def canonical(activity: np.ndarray, step: float, speed: np.ndarray) -> np.ndarray:
    """The same by convolution with the difference of two gamma densities, shapes 6 and 16 [s], the second a sixth of
    the first (Friston et al. 1998, NeuroImage 7:30; SPM's default); as large as the balloon's for steady activity 1."""
    from scipy.signal import fftconvolve

    time = (np.arange(int(KERNEL_LENGTH / (step * speed.min()))) + 0.5)[:, None] * step * speed
    kernel = response(time) * step * speed * plateau(1.0)
    mean = activity.mean(axis=0)
    before = np.concatenate([np.zeros_like(activity[:1]), activity[:-1] - mean])  # the signal at a step's start
    return fftconvolve(before, kernel, axes=0)[: len(activity)] + plateau(1.0) * mean


def response(time: np.ndarray) -> np.ndarray:
    """The canonical response at `time` [s] after a brief burst; its integral is 1."""
    from scipy.stats import gamma

    return (gamma.pdf(time, 6) - gamma.pdf(time, 16) / 6) / (1 - 1 / 6)


MODELS = {"balloon": balloon, "canonical": canonical}
"""The models by name."""
