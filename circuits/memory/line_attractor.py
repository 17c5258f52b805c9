"""A line attractor: neurons that feed one pattern back to themselves, so that a value stays where it was put."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from circuits.memory.regimes import linear_regime
from circuits.memory.remembered import CUE, DRIVE_RATE, INTERVAL, MemorySubject, kept_for, scattered, slopes, wiring
from simlab import truths
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import SynapticTimeConstant

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

TimeConstant = SynapticTimeConstant
Depth = Annotated[float, Within(0.1, 200, "Hz")]
Base = Annotated[float, Within(0.1, 500, "Hz")]
IntervalCV = Annotated[float, Within(0.05, 2)]


@dataclass(frozen=True)
class LineAttractor:
    """The integrator of Seung (1996): rates that rise or fall with a value, and feedback that holds it.

        tau dx_i/dt = -x_i + [ sum_j W_ji x_j + b_i + s_i I(t) ]+,     W_ji = eigenvalue s_i s_j / |s|^2
        I(t) = value tau / CUE while it is shown, + tau sqrt(D) eta(t);     b such that x = base rests

    s_i [Hz]: the slope of neuron i, positive in half of them. With z = s.(x - base) / |s|^2, dz/dt = -z / T + I / tau,
    T = tau / (1 - eigenvalue): the Jacobian has one eigenvalue -1 / T and all others are -1 / tau. At eigenvalue 1
    every z is a fixed point (a line of them); .995 makes 20 s of 100 ms, what the goldfish's oculomotor integrator
    keeps an eye position for (Seung 1996, PNAS 93:13339; Seung, Lee, Reis & Tank 2000, Neuron 26:259). Below
    1 - 1/`PERSISTENT` = .9 it is no longer called an attractor: z decays to the one fixed point.

    The value drifts with the noise of its input (a velocity command), D the variance per second of z at T = infinity.
    Each cell may have noise of its own besides: x_i of a cell without synapses then fluctuates by `private_noise`.
    T is its `timescale`: rates are correlated over time as exp(-t / T).
    """

    name: ClassVar[str] = "line_attractor"
    mechanism: ClassVar[str] = "line attractor"
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity", "topology", "timescale")

    n_neurons: Annotated[int, Within(4, 2000)] = 60  # tens are recorded in one integrator (Aksay et al. 2001)
    time_constant: TimeConstant = 0.1  # s, of NMDA receptors (Seung et al. 2000)
    eigenvalue: Annotated[float, Within(0, 1)] = 0.995  # of W: 20 s (Seung et al. 2000)
    base: Base = 20.0  # Hz at the middle value (oculomotor integrator: 0 to 80 Hz, Aksay et al. 2001)
    depth: Depth = 9.0  # Hz per unit of the value; single neurons have 0.5 to 1.5 of it
    diffusion: Annotated[float, Within(0, 10, "1/s")] = 0.01  # D: a standard deviation of .14 after 2 s
    private_noise: Annotated[float, Within(0, 50, "Hz")] = 0.0  # standard deviation, of a cell without synapses
    interval_cv: IntervalCV = 0.7  # of spikes: between regular cells of the brainstem and Poisson-like ones of cortex
    model: Literal["spiking", "rate"] = "spiking"  # or "rate"

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            1.5 * self.depth <= self.base,
            f"base must be at least 1.5 depth, where no rate is cut off at zero, got {self.base} and {self.depth} Hz",
        )

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return ("spikes",) if self.model == "spiking" else ("rate",)

    @property
    def persistence(self) -> float:
        """The time constant [s] with which the value decays; infinite at eigenvalue 1."""
        return float(self.time_constant / (1 - self.eigenvalue)) if self.eigenvalue < 1 else float("inf")

    def jitter(self, time_constant: float) -> float:
        """Noise of the input in one `INTERVAL`, for cells of this time constant [s]."""
        return time_constant * float(np.sqrt(self.diffusion / INTERVAL))

    def subject(self, rng: np.random.Generator) -> MemorySubject:
        """One individual: the slopes of its neurons, and the wiring that follows from them."""
        slope = slopes(self.n_neurons, self.depth, rng)
        weights = self.eigenvalue * np.outer(slope, slope) / (slope @ slope)
        place = scattered(self.n_neurons, rng)
        return integrator(self, self, weights, slope, slope, place, self.persistence)


def integrator(
    circuit: object, like: LineAttractor, weights: np.ndarray, slope: np.ndarray, entry: np.ndarray, place: xr.Dataset,
    timescale: float,
) -> MemorySubject:  # fmt: skip
    """A linear network (pre, post) of cells as `like` says, whose cue comes in by a pattern `entry` (neuron,) [Hz].

    timescale [s]: how long it keeps what came in.
    """
    tau = like.time_constant
    network = rate_network(weights, tau, like.base, noise=like.private_noise)
    answers = {
        "dynamics": lambda: truths.one(label=linear_regime(network.jacobian(np.full(len(slope), like.base)), tau)),
        "connectivity": lambda: wiring(weights, "1"),
        "topology": lambda: truths.shape((1, 0, 0)),
        "timescale": lambda: kept_for(timescale),
    }
    return MemorySubject(
        circuit, like, network, np.full(len(slope), like.base), lambda values: values[..., None] * entry * tau / CUE,
        like.jitter(tau) * entry, answers, place,
    )  # fmt: skip


def rate_network(
    weights: np.ndarray, time_constant: float, base: float, rheobase: float = DRIVE_RATE, noise: float = 0.0
) -> RateNetwork:
    """Threshold-linear cells that rest at `base` [Hz]; `noise` [Hz]: by how much each fluctuates on its own."""
    from simlab.simulators.rates import RateNetwork
    from simlab.simulators.transfers import threshold_linear

    bias = base - base * weights.sum(axis=0)
    return RateNetwork(
        weights, time_constant, threshold_linear, bias=bias, rheobase=rheobase,
        state_noise=noise * 2**0.5,  # tau dx = -x dt + s sqrt(tau) dW has a variance of s^2 / 2
    )  # fmt: skip
