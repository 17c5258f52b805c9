"""Memory by the cells themselves: each is so slow that it needs no other to remember."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from circuits.memory.line_attractor import LineAttractor
from circuits.memory.regimes import linear_regime
from circuits.memory.remembered import CUE, DRIVE_RATE, MemorySubject, kept_for, scattered, slopes
from simlab import truths
from simlab.rules import Within, check_fields

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

PUSH = 0.3
"""s for which a current must flow to change a slow cell's rate by what it adds to a fast one's at once."""


@dataclass(frozen=True)
class SlowCells:
    """Unconnected cells, each of which integrates what it is given and forgets it slowly.

        T dx_i/dt = -x_i + base + s_i (T / tau) I(t),    fires at [ x_i ]+

    as cells with a calcium-activated non-specific cation current do: layer V of the entorhinal cortex holds graded
    rates for minutes when its synapses are blocked (Egorov et al. 2002, Nature 420:173). s, I as in `line_attractor`,
    whose value decays with the same T unless `time_constant` says otherwise: the noise of the input is common to
    all cells, so that they also drift together. The Jacobian is -1/T for every cell, alone: one fixed point. A
    push stays, and only in the cell that was pushed. T is the `timescale`.
    """

    name: ClassVar[str] = "slow_cells"
    mechanism: ClassVar[str] = "slow cells"
    twin_of: ClassVar[tuple[str, ...]] = ("line_attractor",)
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity", "topology", "timescale")

    like: LineAttractor = field(default_factory=LineAttractor)  # whose slopes and input it has
    longest: Annotated[float, Within(0.01, 10_000, "s")] = 100.0
    """s: T is the line attractor's persistence, but no more (minutes: Egorov et al. 2002)."""

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return self.like.modalities

    @property
    def time_constant(self) -> float:
        """T [s] of every cell."""
        return min(self.like.persistence, self.longest)

    def imitating(self, circuit: LineAttractor) -> SlowCells:
        """A copy with the slopes, input and persistence of this line attractor."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> MemorySubject:
        """One individual: its cells' slopes."""
        like, n, slow = self.like, self.like.n_neurons, self.time_constant
        slope = slopes(n, like.depth, rng)
        network = unconnected(n, slow, like.base)
        rest = np.full(n, like.base)
        answers = {
            "dynamics": lambda: truths.one(label=linear_regime(network.jacobian(rest), slow)),
            "connectivity": lambda: truths.no_wiring(n),
            "topology": lambda: truths.shape((1, 0, 0)),
            "timescale": lambda: kept_for(slow),
        }
        return MemorySubject(
            self, like, network, rest, lambda values: values[..., None] * slope * slow / CUE,
            like.jitter(slow) * slope, answers, scattered(n, rng),
        )  # fmt: skip


def unconnected(n_neurons: int, time_constant: float, base: float) -> RateNetwork:
    """Cells that rest at `base` [Hz], each on its own; what they remember is no rate, and may be below zero."""
    from simlab.simulators.rates import RateNetwork
    from simlab.simulators.transfers import linear

    none, rheobase = np.zeros((n_neurons, n_neurons)), DRIVE_RATE * time_constant / PUSH
    return RateNetwork(none, time_constant, linear, bias=base, rheobase=rheobase)
