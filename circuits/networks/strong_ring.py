"""A ring of neurons that inhibit one another so strongly that patterns form: the hard case of inferring couplings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab import truths
from simlab.contracts import Regime
from simlab.data import anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Pause, Share, Step, SynapticTimeConstant
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.spiking import SpikingNetwork

EQUATIONS = """
    dg/dt = -g/tau : 1
    drive = g + bias*(1 + noise*eta*int(eta_gate > gate)) + rheobase*perturbation : 1
    tau : second (shared, constant)
    bias : 1 (shared, constant)
    noise : 1 (shared, constant)
    gate : 1 (shared, constant)
    rheobase : 1 (shared, constant)
    limit : 1 (shared, constant)
"""

THRESHOLDS = (
    (0.0, 1.3975e-3), (0.0005, 1.378e-3), (0.0025, 1.304e-3), (0.005, 1.213e-3), (0.0075, 1.123e-3), (0.01, 1.033e-3),
    (0.0125, 0.95e-3), (0.015, 0.886e-3), (0.0175, 0.847e-3), (0.02, 0.808e-3), (0.0225, 0.77e-3), (0.025, 0.735e-3),
    (0.035, 0.612e-3), (0.04, 0.56e-3), (0.05, 0.46e-3),
)  # fmt: skip
"""(strength, threshold) at which neurons fire alike: those of the authors' published code; at strength 0 analytic, and
above 0.035 found by simulation (within 3% of the same rate)."""

TISSUE = 300e-6
"""Edge [m] of the cube in which the neurons lie at random: their places tell nothing of the ring."""


@dataclass(frozen=True)
class StrongRing:
    """Inhibitory neurons on a ring with a difference-of-Gaussians profile of weights: Das & Fiete (2020).

        neuron i fires in a step when  r sum_j W_ji s_j + b (1 + n xi_i [xi'_i > gate]) + rheobase u_i > threshold
        ds_j/dt = -s_j / tau + sum_k delta(t - t_jk)
        W_ji = exp(-x^2 / (2 w1^2)) - a exp(-x^2 / (2 w2^2)),   x: distance of i and j on the ring [neurons]

    xi, xi' are standard normal and drawn afresh in every step; [ ] is 1 where its condition is true, else 0. All W are
    negative, the neuron's own W_ii too: it is what keeps a neuron from firing in every step, so it runs though nobody
    is asked about it. W's Fourier transform is largest at k^2 = 2 ln(a w2^3 / w1^3) / (w2^2 - w1^2): at large r the
    activity breaks into N k / (2 pi) = 4.06 periods around the ring, and far neurons fire together without a synapse
    (Das & Fiete 2020, Nat Neurosci 23:1286). `strength`, r, is the dial from independent neurons to that state. In
    discrete time a spike decays by dt / tau before it is first heard (in the authors' code it does not): strength is
    effectively 1% less.

    The model has neither a resting state nor units. Strength 1 of a stimulation stands for one standard deviation of
    the noise, n b = 3e-4, which at small r is what lies between b and threshold.
    """

    name: ClassVar[str] = "strong_ring"
    mechanism: ClassVar[str] = "recurrent network"
    questions: ClassVar[tuple[str, ...]] = ("connectivity",)
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = Regime(
        source="the authors set the threshold for 62 Hz at every strength, patterns or none: Das & Fiete 2020",
        rate=(30.0, 120.0),
        silent=(0.0, 0.5),
    )

    n_neurons: Annotated[int, Within(8, 10_000)] = 100  # Das & Fiete 2020
    strength: Annotated[float, Within(0, 1)] = 0.025  # r; Das & Fiete: 0.0005 to 0.035, patterns above 0.012
    threshold: Annotated[float | None, Within(0, 1)] = None
    """Input at which a neuron fires; None: the one of `THRESHOLDS` for this strength, at which rates are 62 Hz."""
    narrow_width: Annotated[float, Within(0.1, 1000, "neurons")] = 6.98  # w1 (Das & Fiete 2020)
    broad_width: Annotated[float, Within(0.1, 1000, "neurons")] = 7.0  # w2 (Das & Fiete 2020)
    broad_height: Annotated[float, Within(0, 10)] = 1.0005  # a (Das & Fiete 2020)
    faintest: Share = 0.01
    """Weights below this share of the strongest are no synapses: the profile never reaches 0 (ours; theirs: 0)."""
    bias: Annotated[float, Within(0, 1)] = 1e-3  # b, the same feedforward input to all (Das & Fiete 2020)
    noise: Annotated[float, Within(0, 10)] = 0.3  # n, of b (Das & Fiete 2020)
    gate: Annotated[float, Within(-10, 10)] = 1.5
    """What xi' must exceed for noise in a step: so in 6.7% of the steps (Das & Fiete 2020)."""
    time_constant: SynapticTimeConstant = 10e-3  # tau [s] (Das & Fiete 2020)
    burn_in: Pause = 1.0  # s before each trial, in which a pattern forms
    dt: Step = 1e-4  # s (Das & Fiete 2020); the noise is drawn per step, so rates depend on it

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.threshold is not None or self.strength <= THRESHOLDS[-1][0],
            f"thresholds are known up to strength {THRESHOLDS[-1][0]}, got strength={self.strength} without one: "
            "give `threshold`",
        )
        require(
            self.dt <= self.time_constant / 20,
            f"dt must be at most a twentieth of the time constant, got {self.dt}: use 1e-4",
        )

    @property
    def limit(self) -> float:
        """The threshold in force."""
        if self.threshold is not None:
            return self.threshold
        strengths, thresholds = np.array(THRESHOLDS).T
        return float(np.interp(self.strength, strengths, thresholds))

    def profile(self, distance: np.ndarray) -> np.ndarray:
        """W at a distance [neurons]; 0 where it is too faint to be a synapse."""
        narrow, broad = (np.exp(-(distance**2) / (2 * w**2)) for w in (self.narrow_width, self.broad_width))
        weight = narrow - self.broad_height * broad
        return np.where(np.abs(weight) < self.faintest * np.abs(weight).max(), 0.0, weight)

    def subject(self, rng: np.random.Generator) -> StrongRingSubject:
        """One ring. All have the same weights; neurons lie in other places."""
        place = np.arange(self.n_neurons)
        apart = np.abs(place[:, None] - place)
        weights = self.profile(np.minimum(apart, self.n_neurons - apart).astype(float))
        where = anatomy(rng.uniform(0, TISSUE, (self.n_neurons, 3)), ["I"] * self.n_neurons)
        return StrongRingSubject(self, self.strength * weights, where)


@dataclass(frozen=True, eq=False)
class StrongRingSubject:
    """One individual: `weights` (pre, post), r W, with each neuron's inhibition of itself on the diagonal; anatomy."""

    circuit: StrongRing
    weights: np.ndarray
    anatomy: xr.Dataset

    @property
    def preferred_angle(self) -> np.ndarray:
        """Place of each neuron on the ring (neuron,) [rad]."""
        n = self.circuit.n_neurons
        return np.arange(n) * 2 * np.pi / n

    @property
    def network(self) -> SpikingNetwork:
        """What runs."""
        from simlab.simulators.spiking import Population, SpikingNetwork, SynapseSet

        circuit = self.circuit
        neurons = Population(
            n_neurons=circuit.n_neurons,
            equations=EQUATIONS,
            threshold="drive > limit",
            parameters={
                "tau": circuit.time_constant,
                "bias": circuit.bias,
                "noise": circuit.noise,
                "gate": circuit.gate,
                "rheobase": circuit.noise * circuit.bias,
                "limit": circuit.limit,
            },
        )
        pre, post = np.nonzero(self.weights)
        synapses = SynapseSet(pre, post, self.weights[pre, post], 0.0, target="g", unit="1")
        return SpikingNetwork((neurons,), (synapses,), name=circuit.name)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.spiking import simulate

        circuit = self.circuit
        spikes = simulate(self.network, session, rng, burn_in=circuit.burn_in, dt=circuit.dt)
        return spikes.activity(session, circuit.n_neurons)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: the weights that ran, from one neuron to another."""
        return truths.among(self.circuit.name, question, {"connectivity": self._wiring})

    def _wiring(self) -> xr.Dataset:
        """With `distance` (pre, post) around the ring [neurons], which the places of the neurons do not tell."""
        n = len(self.weights)
        apart = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
        around = np.minimum(apart, n - apart).astype(float)
        found = truths.wiring(np.where(apart == 0, 0.0, self.weights), "1")
        return found.assign(distance=(("pre", "post"), around, {"units": "neurons"}))
