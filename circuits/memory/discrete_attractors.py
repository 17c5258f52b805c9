"""Discrete attractors: neurons of two states, whose feedback holds a few values and none between them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from circuits.memory.line_attractor import LineAttractor
from circuits.memory.regimes import distinct
from circuits.memory.remembered import DRIVE_RATE, MemorySubject, kept_states, scattered, slopes, wiring
from simlab import truths
from simlab.rules import Within, check_fields

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

CUE_GAIN = 3.0
"""How many times stronger than the feedback the cue is: it overrules what was remembered."""


@dataclass(frozen=True)
class DiscreteAttractors:
    """A stack of switches: groups of neurons with one threshold each, joined by the mean of what all report.

        tau dx_i/dt = -x_i + base + s_i (2 logistic(u_i) - 1),     u_i = 2 k ( z - theta_i + 3 c_i(t) + xi(t) )
        z = mean_j (x_j - base) / s_j,    c_i = value - theta_i while it is shown, else 0,    k = `steepness` groups

    With n groups, whose thresholds lie between the levels -1, -1 + 2/n, ..., 1, each level is a stable fixed point: two
    for one group (a decision, as in Wong & Wang 2006), a staircase for more, which seen coarsely passes for a line
    (Koulakov et al. 2002, Nat Neurosci 5:775). A value is kept as the level that it is nearest to; a small push
    comes back, a large one ends at another level. Slopes s and rates as in the line attractor that it imitates.
    """

    name: ClassVar[str] = "discrete_attractors"
    mechanism: ClassVar[str] = "discrete attractors"
    twin_of: ClassVar[tuple[str, ...]] = ("line_attractor",)
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity", "topology")

    like: LineAttractor = field(default_factory=LineAttractor)  # whose cells and slopes it has
    states: Annotated[int, Within(2, 40)] = 2  # levels
    steepness: Annotated[float, Within(0.05, 50)] = 2.0  # k over the number of groups; below about 1 no level holds

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return self.like.modalities

    @property
    def gain(self) -> float:
        """2 k, the slope of u in z."""
        return 2 * self.steepness * (self.states - 1)

    def imitating(self, circuit: LineAttractor) -> DiscreteAttractors:
        """A copy with the cells and slopes of this line attractor."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> MemorySubject:
        """One individual: its slopes, and the group that each neuron belongs to."""
        like, n = self.like, self.like.n_neurons
        slope = slopes(n, like.depth, rng)
        group = rng.permutation(np.arange(n) % (self.states - 1))
        threshold = -1 + (2 * group + 1) / (self.states - 1)
        network = self.network(slope, threshold)
        answers = {
            "dynamics": lambda: truths.one(label=switch_regime(subject)),
            "connectivity": lambda: wiring(network.weights, "1/Hz"),
            "topology": lambda: truths.shape((len(held(subject)), 0, 0)),
        }
        jitter = np.full(n, self.gain * like.jitter(like.time_constant))
        subject: MemorySubject = MemorySubject(
            self, like, network, np.full(n, like.base),
            lambda values: self.gain * CUE_GAIN * (values[..., None] - threshold), jitter, answers, scattered(n, rng),
        )  # fmt: skip
        return subject

    def network(self, slope: np.ndarray, threshold: np.ndarray) -> RateNetwork:
        """The equations of neurons with these slopes [Hz] and thresholds (neuron,)."""
        from simlab.simulators.rates import RateNetwork
        from simlab.simulators.transfers import logistic_between

        n, base = len(slope), self.like.base
        weights = np.tile((self.gain / (n * slope))[:, None], (1, n))
        bias = -self.gain * threshold - base * weights.sum(axis=0)
        rheobase = 2 * DRIVE_RATE / slope  # at the steepest point; a current raises rates, of falling neurons as well
        return RateNetwork(
            weights, self.like.time_constant, logistic_between, (base - slope, base + slope), bias, rheobase=rheobase
        )


def held(subject: MemorySubject) -> np.ndarray:
    """The stable fixed points (state, neuron) [Hz] in which values all along the range end."""
    from simlab.simulators.rates import fixed_point

    ends = distinct(kept_states(subject, np.linspace(-1, 1, 81), duration=5.0), 0.02)
    points = [fixed_point(subject.network, end) for end in ends]
    return distinct(np.array([point.state for point in points if point.stable]), 0.02)


def switch_regime(subject: MemorySubject) -> str:
    """`bistable` where there are two stable states or more, which they stay in for good; else `fixed point`."""
    return "bistable" if len(held(subject)) > 1 else "fixed point"
