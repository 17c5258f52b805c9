"""A hypercolumn that sharpens the orientation it is told by recurrent excitation and inhibition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.coding.discrimination import (
    WIDTH,
    Blur,
    Columns,
    Depth,
    DiscriminatingSubject,
    Discrimination,
    Moments,
    Neurons,
    n_bins,
)
from circuits.coding.information_limiting import VISUAL_CORTEX
from simlab.contracts import Regime
from simlab.rules import Within, check_fields
from simlab.session import Session

DRIVE_RATE = 20.0
"""Hz of input that a rheobase of current is (as `simlab.simulators.given_rates`)."""

SOURCES, NODES = 3, 7
"""Of noise, and of the quadrature over each of them: twice as many change information by less than a thousandth."""

STEPS, CLOSE = 100, 1e-7
"""Of half a membrane time constant, that a network has to settle; it is at rest where rates change by less."""

FASTEST = 1e5
"""Hz that no settling rate reaches."""

Coupling = Annotated[float, Within(0, 100)]


@dataclass(frozen=True)
class Hypercolumn:
    """The ring model of orientation selectivity, with noise in its input and a spiking readout.

        r = knee ln(1 + exp((h + W r) / knee)),   W_ij = (excitation cos 2(theta_i - theta_j) - inhibition) / N
        h_i = drive ( 1 - modulation + modulation cos 2(s - theta_i) + contrast_noise z_0
                      + 2 modulation blur (z_1 cos 2 theta_i + z_2 sin 2 theta_i) ),   z ~ N(0, 1) in each trial

    Rates are constant in a trial, as the network is given 50 membrane time constants to settle; neurons fire Poisson
    spikes at `spontaneous` + r. With excitation > 2 the weakly tuned input is sharpened (Ben-Yishai, Bar-Or &
    Sompolinsky 1995, PNAS 92:3844), and so is its noise: what the network does not know of s it shares among all
    neurons (Seriès, Latham & Pouget 2004, Nat Neurosci 7:1129). The input has Fisher information 1 / blur^2 about s,
    however many the neurons, and no network has more than its input (Kanitscheider, Coen-Cagli & Pouget 2015, PNAS
    112:E6973). A drive adds to h; a held neuron passes on what it is held at.

    Truth of `information`: means and covariances of the rates by quadrature over z; it saturates unless blur is 0.
    """

    name: ClassVar[str] = "hypercolumn"
    mechanism: ClassVar[str] = "recurrent sharpening"
    questions: ClassVar[tuple[str, ...]] = ("information", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = VISUAL_CORTEX

    n_neurons: Neurons = 60
    drive: Annotated[float, Within(0.1, 1000, "Hz")] = 20.0
    modulation: Depth = 0.15  # of the input by orientation
    excitation: Coupling = 5.0
    inhibition: Coupling = 6.0
    knee: Annotated[float, Within(0.1, 100, "Hz")] = 2.0  # over which the threshold is smooth, as noise makes it
    spontaneous: Annotated[float, Within(0, 100, "Hz")] = 0.5
    blur: Blur = 0.09  # rad, of the input: 5 degrees
    contrast_noise: Depth = 0.03
    task: Discrimination = field(default_factory=Discrimination)

    def __post_init__(self) -> None:
        check_fields(self)

    def prior(self, rng: np.random.Generator) -> Hypercolumn:
        """Blurs of 3 to 8 degrees, weaker and stronger sharpening."""
        return replace(self, blur=float(rng.uniform(0.05, 0.14)), excitation=float(rng.uniform(3.0, 6.0)))

    def subject(self, rng: np.random.Generator) -> DiscriminatingSubject:
        """One individual: its neurons' orientations, numbered at random."""
        column = drawn(self, rng)
        saturates = None if self.modulation == 0 else self.blur > 0
        return DiscriminatingSubject.placed(self, column.fire, column.moments, saturates, column.weights, rng)


@dataclass(frozen=True, eq=False)
class Column:
    """One individual's equations. preferred: (neuron,) [rad]."""

    circuit: Hypercolumn
    preferred: np.ndarray
    weights: np.ndarray  # (pre, post)

    def input(self, stimulus: np.ndarray, z: np.ndarray) -> np.ndarray:
        """h (trial, neuron) [Hz] at each stimulus (trial,) [rad] and its noise z (trial, 3)."""
        c, angle = self.circuit, 2 * self.preferred
        tuned = c.modulation * np.cos(2 * stimulus[:, None] - angle)
        turned = 2 * c.modulation * c.blur * (z[:, 1:2] * np.cos(angle) + z[:, 2:] * np.sin(angle))
        return np.asarray(c.drive * (1 - c.modulation + tuned + c.contrast_noise * z[:, :1] + turned))

    def rates(self, stimulus: np.ndarray, z: np.ndarray) -> np.ndarray:
        """(trial, neuron) [Hz] at rest."""
        h = self.input(stimulus, z)
        return self.circuit.spontaneous + rest(h, self.circuit.knee, lambda r: r @ self.weights)

    def moments(self, stimulus: np.ndarray) -> Moments:
        """By Gauss-Hermite quadrature over the three sources of noise."""
        node, weight = np.polynomial.hermite_e.hermegauss(NODES)
        z = np.stack(np.meshgrid(*[node] * SOURCES), axis=-1).reshape(-1, SOURCES)
        p = np.prod(np.stack(np.meshgrid(*[weight] * SOURCES), axis=-1).reshape(-1, SOURCES), axis=1)
        p = p / p.sum()
        mean, covariance = [], []
        for s in stimulus:
            rate = self.rates(np.full(len(z), s), z)
            mean.append(p @ rate)
            covariance.append((rate - mean[-1]).T @ ((rate - mean[-1]) * p[:, None]))
        return Moments(np.array(mean), np.array(covariance))

    def fire(self, session: Session, stimulus: np.ndarray, rng: np.random.Generator) -> Columns:
        """Spikes at the rates of each bin, whatever is done to the neurons there."""
        from simlab.simulators.effects import engine_effects
        from simlab.simulators.given_rates import renewal

        h = self.input(stimulus, rng.standard_normal((session.trials, SOURCES)))
        effects = engine_effects(session, len(self.weights), min(WIDTH, session.duration) * 1e-3)
        quiet = self.circuit.spontaneous + rest(h, self.circuit.knee, lambda r: r @ self.weights)
        rate = np.repeat(quiet[:, None], n_bins(session), axis=1)
        for k in range(rate.shape[1]) if effects else ():
            rate[:, k] = self._under(effects, (k + 0.5) * WIDTH, h)
        return renewal(rate, WIDTH, session.duration, rng, dead_time=0.0)

    def _under(self, effects: tuple, time: float, h: np.ndarray) -> np.ndarray:
        """(trial, neuron) rates [Hz] at a time [s] under effects."""
        from simlab.simulators.effects import drive_at, gain_at, hold_at

        (trials, n), every = h.shape, np.arange(len(h))
        pre, post = (index.ravel() for index in np.indices((n, n)))
        drive, held = (at(effects, time, every, n) for at in (drive_at, hold_at))
        if any(effect.kind == "gain" for effect in effects):
            weights = gain_at(effects, time, every, pre, post).reshape(trials, n, n) * self.weights
            reach: Callable[[np.ndarray], np.ndarray] = lambda r: np.einsum("ti,tij->tj", r, weights)  # noqa: E731
        else:
            reach = lambda r: r @ self.weights  # noqa: E731
        c, free = self.circuit, np.isnan(held)
        passed = np.where(free, 0.0, held - c.spontaneous)  # the rest of a held neuron is its own business
        r = rest(h + DRIVE_RATE * drive, c.knee, reach, passed, free)
        return np.where(free, c.spontaneous + r, held)


def rest(
    h: np.ndarray,
    knee: float,
    reach: Callable[[np.ndarray], np.ndarray],
    held: np.ndarray | None = None,
    free: np.ndarray | None = None,
) -> np.ndarray:
    """(trial, neuron): where dr/dt = -r + F(h + reach(r)) comes from r = 0 in 50 membrane time constants; F: softplus.

    held: rates of the neurons that are not `free`. Raises SimlabError where rates run away.
    """
    from simlab.contracts import SimlabError

    def fixed(r: np.ndarray) -> np.ndarray:
        return r if free is None or held is None else np.where(free, r, held)

    r = fixed(np.zeros_like(h))
    for _ in range(STEPS):
        before, r = r, fixed(r + 0.5 * (knee * np.logaddexp(0.0, (h + reach(r)) / knee) - r))
        if not r.max(initial=0.0) < FASTEST:
            raise SimlabError(f"rates run away, past {FASTEST:g} Hz: lower excitation, or raise inhibition")
        if np.abs(r - before).max(initial=0.0) < CLOSE:
            break
    return r


def drawn(circuit: Hypercolumn, rng: np.random.Generator) -> Column:
    """Preferred orientations at even distances, numbered at random, and the synapses between them."""
    n = circuit.n_neurons
    preferred = (rng.permutation(n) + rng.random()) * np.pi / n
    apart = 2 * (preferred[:, None] - preferred)
    weights = (circuit.excitation * np.cos(apart) - circuit.inhibition) / n
    return Column(circuit, preferred, weights * ~np.eye(n, dtype=bool))
