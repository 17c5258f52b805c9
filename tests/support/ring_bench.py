"""What the tests of the ring circuits share: sessions with one cue, pulses around an angle, decoded directions."""

from __future__ import annotations

import numpy as np

from circuits.attractors.ring_network import wrap
from simlab.data import bin_spikes
from simlab.session import Effect, Session, Stimulus

CUE = 0.25  # s


def one_cue(trials: int, duration: float, angle: float = 0.0) -> Session:
    """Trials that all begin with the same cue [rad]."""
    values = np.full((trials, int(np.ceil(duration / CUE)), 1), np.nan)
    values[:, 0] = angle
    return Session(trials, duration, Stimulus(("angle",), values, CUE))


def push(subject, angle: float, *, neurons: int = 7, strength: float = 2.0, start: float = 0.6, length: float = 0.3):
    """A pulse to the `neurons` excitatory ones that are nearest to an angle [rad]."""
    distance = np.abs(wrap(subject.preferred_angle - angle))
    targets = np.argsort(np.where(np.isnan(distance), np.inf, distance))[:neurons]
    current = np.zeros(len(distance))
    current[targets] = strength
    return Effect("drive", current, start, start + length)


def direction(subject, values: np.ndarray) -> np.ndarray:
    """Population vector's angle (...) [rad] of counts or rates (..., neuron)."""
    tuned = np.isfinite(subject.preferred_angle)
    return np.angle(np.asarray(values)[..., tuned] @ np.exp(1j * subject.preferred_angle[tuned]))


def around(subject, values: np.ndarray) -> np.ndarray:
    """Values (..., neuron) of the excitatory neurons in order of preferred angle, from -pi on."""
    angle = wrap(subject.preferred_angle)
    order = np.argsort(np.where(np.isnan(angle), np.inf, angle))
    return np.asarray(values)[..., order[: np.isfinite(angle).sum()]]


def counts(activity, width: float = 0.05) -> np.ndarray:
    """(trial, bin, neuron)."""
    return bin_spikes(activity, width).values


def spread(angle: np.ndarray, lag: int, first: int) -> np.ndarray:
    """Mean squared displacement (trial,) [rad^2] over `lag` bins of angles (trial, bin), from bin `first` on."""
    path = np.unwrap(angle[:, first:], axis=1)
    return ((path[:, lag:] - path[:, :-lag]) ** 2).mean(axis=1)
