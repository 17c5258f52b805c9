"""Regions that drive one another, each with an input that goes on and off: what NetSim simulates behind BOLD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab import truths
from simlab.data import activity, anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Pause, Share
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

CLUSTER = 5
"""Nodes of a ring (Smith et al. 2011: networks of 5, 10, 15 and 50 nodes are made of such)."""

BRAIN = 0.1
"""Edge [m] of the cube in which the nodes lie at random: their places tell nothing of the wiring."""

STEPS_PER_LAG = 10
"""Euler steps per neural lag; the external noise is drawn afresh at each (5 ms by default)."""

SAMPLE_STEPS = 5
"""Steps per stored sample, and per step of the external input (25 ms by default)."""


@dataclass(frozen=True)
class BoldNodes:
    """Nodes of linear dynamics in small rings, as in dynamic causal models, each driven by an input of its own.

        lag dz_j/dt = -z_j + sum_i W_ij z_i + u_j(t) + noise xi_j(t)

    with u_j a random telegraph signal, 1 for `up` and 0 for `down` seconds on average, and xi standard normal, drawn
    ten times per lag: dz/dt = sigma (A z + u) with sigma = 1 / lag and A = W' - 1. After the simulations of Smith et
    al. 2011 (NeuroImage 54:875), from memory: a ring of five in which one connection runs against the others, so that
    there is no cycle (their first simulation); here further rings are joined, one connection from each ring to the
    next, of which a share `rewired` goes to a ring drawn at random (small world; Watts & Strogatz 1998). Weights are
    normal, drawn again beyond .2 and .6. Which node stands where in the rings is drawn too.

    z is dimensionless; an isolated node rests at 0 and is at 1 while its input is up. The process is linear and has no
    threshold; strength 1 of a stimulation is the size of an input. Through `bold` this is NetSim; it has no mixed
    regions of its own, since these are an instrument's fault (`bold.mixing`).
    """

    name: ClassVar[str] = "bold_nodes"
    mechanism: ClassVar[str] = "coupled regions"
    questions: ClassVar[tuple[str, ...]] = ("connectivity",)
    modalities: ClassVar[tuple[str, ...]] = ("rate",)

    n_nodes: Annotated[int, Within(CLUSTER, 500)] = 5  # in rings of five (Smith et al. 2011: 5 to 50)
    weight: Annotated[float, Within(0.2, 0.6)] = 0.4  # mean of the weights (Smith et al. 2011)
    weight_spread: Share = 0.1  # their standard deviation (the same)
    rewired: Share = 0.2  # of the connections between rings (assumed)
    lag: Annotated[float, Within(1e-3, 10, "s")] = 0.05  # s, from a node to the next (Smith et al. 2011: 50 ms)
    up: Annotated[float, Within(0.1, 1000, "s")] = 2.5  # s, mean duration of an input (Smith et al. 2011)
    down: Annotated[float, Within(0.1, 1000, "s")] = 10.0  # s, mean time between inputs (Smith et al. 2011)
    noise: Annotated[float, Within(0, 100)] = 0.05  # standard deviation (Smith et al. 2011: 1/20 of the input's height)
    burn_in: Pause = 1.0  # s before each trial, under the input that it starts with: 20 lags

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.n_nodes % CLUSTER == 0,
            f"bold_nodes: n_nodes must be a multiple of {CLUSTER}, got {self.n_nodes}: rings have {CLUSTER} nodes",
        )

    @property
    def step(self) -> float:
        """s, of the integration."""
        return self.lag / STEPS_PER_LAG

    def subject(self, rng: np.random.Generator) -> BoldNodesSubject:
        """One network: weights, and the places of its nodes, drawn from `rng`."""
        mask = wired(self.n_nodes, self.rewired, rng)
        weights = np.where(mask, _weights(self, mask.shape, rng), 0.0)
        return BoldNodesSubject(self, weights, places(self.n_nodes, rng))


def places(n_nodes: int, rng: np.random.Generator) -> xr.Dataset:
    """Anatomy of so many nodes, each a region of its own."""
    regions = [f"region {k}" for k in range(n_nodes)]
    return anatomy(rng.uniform(0, BRAIN, (n_nodes, 3)), ["E"] * n_nodes, regions)


def wired(n_nodes: int, rewired: float, rng: np.random.Generator) -> np.ndarray:
    """Whether a node contacts another (pre, post): rings of five without a cycle, each joined to another ring."""
    order = rng.permutation(n_nodes).reshape(-1, CLUSTER)
    mask = np.zeros((n_nodes, n_nodes), dtype=bool)
    for ring, nodes in enumerate(order):
        mask[nodes[:-1], nodes[1:]] = True
        mask[nodes[0], nodes[-1]] = True  # against the others, which run on from the first to the last
        others = np.delete(np.arange(len(order)), ring)
        if others.size:
            following = (ring + 1) % len(order)
            target = rng.choice(others) if rng.random() < rewired else following
            mask[rng.choice(nodes), rng.choice(order[target])] = True
    return mask


def _weights(circuit: BoldNodes, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Normal weights between .2 and .6 (Smith et al. 2011)."""
    found = rng.normal(circuit.weight, circuit.weight_spread, shape)
    while (odd := (found < 0.2) | (found > 0.6)).any():
        found[odd] = rng.normal(circuit.weight, circuit.weight_spread, int(odd.sum()))
    return found


def telegraph(circuit: BoldNodes, session: Session, n_inputs: int, rng: np.random.Generator) -> np.ndarray:
    """Inputs (trial, step, input) of 0 and 1, steps of a sample: stationary, with exponential times up and down."""
    step = SAMPLE_STEPS * circuit.step
    when = (np.arange(int(np.ceil(session.duration / step - 1e-9))) + 0.5) * step
    found = np.empty((session.trials, len(when), n_inputs))
    for trial, each in enumerate(rng.spawn(session.trials)):
        for k in range(n_inputs):
            found[trial, :, k] = _switching(circuit, when, each)
    return found


def _switching(circuit: BoldNodes, when: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One telegraph signal at the times `when` (time,) [s]."""
    first = rng.random() < circuit.up / (circuit.up + circuit.down)
    mean = np.array([circuit.up, circuit.down] if first else [circuit.down, circuit.up])
    pairs = int(4 * when[-1] / mean.sum()) + 20
    switches = (rng.exponential(size=(pairs, 2)) * mean).cumsum()
    while switches[-1] < when[-1]:
        switches = np.append(switches, switches[-1] + (rng.exponential(size=(pairs, 2)) * mean).cumsum())
    switched = np.searchsorted(switches, when)
    return (switched % 2 == 0) == first


@dataclass(frozen=True, eq=False)
class BoldNodesSubject:
    """One individual: `weights` (pre, post) and anatomy."""

    circuit: BoldNodes
    weights: np.ndarray
    anatomy: xr.Dataset

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """At rest: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with z as `rate` (trial, time, neuron)."""
        inputs, own = rng.spawn(2)
        return run(
            self.circuit, self.weights, telegraph(self.circuit, session, len(self.weights), inputs), session, own
        )

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: the weights that ran."""
        return truths.among(self.circuit.name, question, {"connectivity": lambda: truths.wiring(self.weights, "1")})


def network(circuit: BoldNodes, weights: np.ndarray) -> RateNetwork:
    """The equations of nodes with these weights (pre, post)."""
    from simlab.simulators.rates import RateNetwork
    from simlab.simulators.transfers import linear

    return RateNetwork(weights, circuit.lag, linear, input_noise=circuit.noise)


def run(
    circuit: BoldNodes, weights: np.ndarray, inputs: np.ndarray, session: Session, rng: np.random.Generator
) -> xr.Dataset:
    """The Activity of nodes with these weights (pre, post) under inputs (trial, step, node)."""
    from simlab.simulators.rates import simulate

    step = circuit.step
    every = SAMPLE_STEPS * step
    burn_in = round(circuit.burn_in / step) * step
    time, rate = simulate(
        network(circuit, weights), session, rng, dt=step, sample_interval=every, burn_in=burn_in,
        inputs=inputs, input_interval=every,
    )  # fmt: skip
    return activity(session, len(weights), rate=rate, time=time)
