"""The neurons around a recording site that a circuit does not simulate: their noise, and those near enough to be heard.

A spike's peak falls with distance d as A exp(-d / L). In tissue of density D whose neurons fire r times a second,
spikes of waveform w(t) (peak 1) superpose to noise of variance (Campbell's theorem)

    r int w^2 dt  int_R^inf A^2 exp(-2 d / L) D 4 pi d^2 dd  =  pi D r A^2 L^3 int w^2 dt  (1 + u + u^2 / 2) exp(-u),

u = 2 R / L. Up to the distance R a spike's peak is above the threshold, and it is an event of its own, not noise. The
threshold is set from the noise itself, as a spike sorter does, so R and the noise are found together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simlab.instruments.recording.unseen_cells import lognormal_rates

HEARD = 2.3
"""Noise deviations below the threshold from which on a spike is heard once in a hundred: farther neurons are noise."""


@dataclass(frozen=True)
class Fall:
    """How the peaks of spikes fall with distance, and when they are detected."""

    amplitude: float
    """Peak at distance 0 [V]."""

    decay: float
    """Distance over which it falls to 1/e [m]."""

    threshold: float
    """Detection threshold, in standard deviations of the noise [1]."""

    def reach(self, level: float) -> float:
        """Distance at which the peak has fallen to a level [V]; 0 where it is lower from the start [m]."""
        return self.decay * max(float(np.log(self.amplitude / level)), 0.0)


def background_noise(fall: Fall, own: float, density: float, rate: float, width: float) -> float:
    """Standard deviation [V] of all noise on a site: `own` [V] of the electronics and that of neurons out of reach.

    rate: of each neuron [Hz]. width: int w^2 dt of a spike of peak 1 [s].
    """
    whole = np.pi * density * rate * fall.amplitude**2 * fall.decay**3 * width

    def total(sigma: float) -> float:
        u = 2 * fall.reach(fall.threshold * sigma) / fall.decay
        return float(np.sqrt(own**2 + whole * (1 + u + u**2 / 2) * np.exp(-u)))

    low, high = own, float(np.sqrt(own**2 + whole))
    for _ in range(
        60
    ):  # louder noise raises the threshold, and so lets more neurons be noise: halve to where they agree
        middle = (low + high) / 2
        low, high = (middle, high) if total(middle) > middle else (low, middle)
    return high


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Neurons near the sites that are not simulated."""

    place: np.ndarray
    """(neighbour, 3) [m]."""

    site: np.ndarray
    """(neighbour,) the nearest site."""

    rate: np.ndarray
    """(neighbour,) [Hz]."""

    @classmethod
    def none(cls) -> Neighbours:
        """Nobody: the tissue is what is simulated."""
        return cls(np.zeros((0, 3)), np.zeros(0, dtype=int), np.zeros(0))


def neighbours_of(
    sites: np.ndarray, simulated: np.ndarray, reach: float, density: float, rate: float, rng: np.random.Generator
) -> Neighbours:
    """A Poisson process of neurons within `reach` [m] of any site, of lognormal rates with this mean [Hz].

    Around each site there are fewer of them by the neurons that are `simulated` (neuron, 3) there, so that the density
    of all is `density`.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(sites)
    volume = 4 / 3 * np.pi * reach**3
    held = np.array([len(near) for near in tree.query_ball_tree(cKDTree(simulated), reach)])
    count = rng.poisson(np.maximum(density * volume - held, 0))
    origin = np.repeat(np.arange(len(sites)), count)
    direction = rng.standard_normal((len(origin), 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    place = sites[origin] + reach * np.cbrt(rng.random(len(origin)))[:, None] * direction
    own = tree.query(place)[1] == origin  # where two sites' surroundings overlap, each has its own side
    rates = lognormal_rates(rate, len(origin), rng)
    return Neighbours(place[own], origin[own], rates[own])
