"""Networks that solve a task: from where training starts, what it may change, and whether it came to anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np

from circuits.trained.training import STEP, Parameters, Schedule, followed, train
from simlab.contracts import SimlabError
from simlab.rules import Within, check_fields

TESTED = 1000
"""Trials, with noise, on which a trained network is examined: a standard error of .013 at most of a share of .8."""

Steps = Annotated[int, Within(1, 100_000)]
BatchSize = Annotated[int, Within(1, 10_000)]
LearningRate = Annotated[float, Within(1e-6, 1)]
Form = Literal["recurrent", "chain", "sequence", "selection", "gating", "gating with copies"]


@dataclass(frozen=True)
class Recipe:
    """All that decides a trained network, but for its seed.

    task: with `batch`, `inputs`, `session` and `outcome`. form: one of `FORMS`. band: the share of right trials with
    which a network passes for trained.
    """

    task: Any
    form: Form
    n_neurons: int
    time_constant: float  # s
    noise: float  # sd of each neuron's own, in units of its base rate
    band: tuple[float, float]
    steps: Steps = 400
    batch: BatchSize = 64
    learning_rate: LearningRate = 3e-3

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def leak(self) -> np.ndarray:
        """(neuron,) a step over each time constant."""
        return np.full(self.n_neurons, STEP / self.time_constant)

    def solved(self, seed: int) -> Parameters:
        """The network that this seed ends in, trained once. Raises SimlabError where it does not do its task."""
        from simlab.simulators.kept_networks import kept

        return kept(self, seed, Parameters, lambda: self._trained(np.random.default_rng(seed)))

    def _trained(self, rng: np.random.Generator) -> Parameters:
        start, masks = FORMS[self.form](self.n_neurons, rng)
        schedule = Schedule(self.steps, self.batch, self.learning_rate)
        found, _ = train(start, masks, self.leak, self.noise, lambda r: self.task.batch(self.batch, r), schedule, rng)
        self.examined(found, rng)
        return found

    def examined(self, found: Parameters, rng: np.random.Generator) -> float:
        """The share of right trials of a network; raises SimlabError where it lies outside the band."""
        session = self.task.session(TESTED, self.task.duration, rng)
        output = followed(found, self.leak, self.task.inputs(session), self.noise, rng) @ found.readout
        right = float(self.task.outcome(session, output).mean())
        low, high = self.band
        if not low <= right <= high:
            raise SimlabError(
                f"a {self.form} network of {self.n_neurons} neurons ended its training with {right:.3g} of trials "
                f"right, outside the regime of {low:g} to {high:g}: train longer, or take more neurons"
            )
        return right


def recurrent(n_neurons: int, rng: np.random.Generator, gain: float = 0.5) -> tuple[Parameters, Parameters]:
    """Random weights of spectral radius `gain`, and one random pattern that feeds itself with weight 1; all are free.

    The pattern is what a number is kept by to begin with, so that training of a few hundred steps is enough.
    """
    weights = gain * rng.standard_normal((n_neurons, n_neurons)) / np.sqrt(n_neurons)
    pattern = rng.choice([-1.0, 1.0], n_neurons) * rng.uniform(0.5, 1.5, n_neurons)
    pattern /= np.linalg.norm(pattern)
    aside = weights - np.outer(weights @ pattern, pattern)
    start = Parameters(
        aside - np.outer(pattern, pattern @ aside) + np.outer(pattern, pattern), 0.3 * pattern[None],
        np.zeros(n_neurons), pattern,
    )  # fmt: skip
    return start, everything(start)


def everything(start: Parameters) -> Parameters:
    """Masks of one throughout: all may change."""
    return Parameters(*(np.ones_like(part) for part in start))


PER_STAGE = 2
"""Neurons of a stage."""


def chain(n_neurons: int, rng: np.random.Generator) -> tuple[Parameters, Parameters]:
    """Stages that each drive the next, numbered at random; weights from later to earlier neurons are never there.

    All of the Jacobian's eigenvalues are -1 / tau, whatever the state: under the order of the stages it is triangular.
    """
    order = rng.permutation(n_neurons)
    stage = np.arange(n_neurons) // PER_STAGE
    sign = rng.choice([-1.0, 1.0], n_neurons)
    size = np.bincount(stage)
    follows = stage[:, None] + 1 == stage[None, :]
    weights = follows * sign[:, None] * sign[None, :] / size[stage][:, None]
    weights = weights + np.triu(0.05 * rng.standard_normal((n_neurons, n_neurons)) / np.sqrt(n_neurons), 1)
    entry, readout = 1.5 * sign * (stage == 0), sign / (3 * size[stage])
    place = np.argsort(order)  # of each neuron, in the chain
    forward = (place[:, None] < place[None, :]).astype(float)
    start = Parameters(
        weights[np.ix_(place, place)], entry[None, place], np.zeros(n_neurons), readout[place],
    )  # fmt: skip
    return start, everything(start)._replace(weights=forward)


def sequence(n_neurons: int, rng: np.random.Generator) -> tuple[Parameters, Parameters]:
    """`chain`, where weights only lead from a stage to the next, and what comes in comes to the first."""
    start, masks = chain(n_neurons, rng)
    stage = (np.argsort(np.argsort(masks.weights.sum(axis=0)))) // PER_STAGE
    following = (stage[:, None] + 1 == stage[None, :]).astype(float)
    first = (stage == 0).astype(float)
    return start._replace(weights=start.weights * following), masks._replace(weights=following, entry=first[None])


GATE = 4.0
"""Drive by which a context shuts the other sense: the slope of tanh is then .0013, and what passes is nothing."""

MOTION, COLOUR, CONTEXT = range(3)
"""Features of the task that has a context."""

SENSORY = 0.15
"""Share of the neurons that hear of either sense."""


def parts(n_neurons: int) -> tuple[slice, slice, slice]:
    """The neurons that hear of motion, those that hear of colour, and those that decide."""
    each = max(2, round(SENSORY * n_neurons))
    return slice(0, each), slice(each, 2 * each), slice(2 * each, n_neurons)


def two_senses(n_neurons: int, rng: np.random.Generator) -> tuple[Parameters, Parameters]:
    """Sensory neurons that each hear of one sense, and nobody else, drive a recurrent network that reports.

    The context reaches none of them, and what sensory neurons hear is fixed: the rest is free.
    """
    motion, colour, decide = parts(n_neurons)
    inner, _ = recurrent(decide.stop - decide.start, rng)
    weights, entry = np.zeros((n_neurons, n_neurons)), np.zeros((3, n_neurons))
    weights[decide, decide] = inner.weights
    free = np.zeros((n_neurons, n_neurons))
    free[:, decide] = 1.0
    readout, may = np.zeros(n_neurons), np.zeros(n_neurons)
    for sense, cells in ((MOTION, motion), (COLOUR, colour)):
        size = cells.stop - cells.start
        sign = np.where(np.arange(size) % 2, -1.0, 1.0)  # as many that rise as fall: shut, they are no offset
        entry[sense, cells] = sign
        weights[cells, decide] = 0.4 * sign[:, None] * inner.readout[None] / size
    readout[decide], may[decide] = inner.readout, 1.0
    start = Parameters(weights, entry, np.zeros(n_neurons), readout)
    return start, Parameters(free, np.zeros((3, n_neurons)), may, may)


def selection(n_neurons: int, rng: np.random.Generator) -> tuple[Parameters, Parameters]:
    """`two_senses` whose context comes to the neurons that decide, and to no others."""
    start, masks = two_senses(n_neurons, rng)
    decide = parts(n_neurons)[2]
    start.entry[CONTEXT, decide] = rng.standard_normal(decide.stop - decide.start)
    masks.entry[CONTEXT, decide] = 1.0
    return start, masks


def gating(n_neurons: int, rng: np.random.Generator) -> tuple[Parameters, Parameters]:
    """`two_senses` whose context shuts the sensory neurons of the other sense, and comes to no others."""
    start, masks = two_senses(n_neurons, rng)
    motion, colour, _ = parts(n_neurons)
    for cells, open_in in ((motion, 1.0), (colour, -1.0)):
        start.entry[CONTEXT, cells] = open_in * GATE / 2
        start.bias[cells] = -GATE / 2
    return start, masks


def gating_with_copies(n_neurons: int, rng: np.random.Generator) -> tuple[Parameters, Parameters]:
    """`gating`, where some of those that decide hear of both senses instead, ungated, and drive nobody."""
    start, masks = gating(n_neurons, rng)
    copies = slice(n_neurons - 2 * parts(n_neurons)[0].stop, n_neurons)
    start.weights[copies], start.weights[:, copies] = 0.0, 0.0
    masks.weights[copies], masks.weights[:, copies] = 0.0, 0.0
    for part in (start.readout, masks.readout, masks.bias):
        part[copies] = 0.0
    start.entry[:CONTEXT, copies] = rng.choice([-1.0, 1.0], (2, n_neurons - copies.start)) / 2**0.5
    return start, masks


FORMS: dict[str, Callable[[int, np.random.Generator], tuple[Parameters, Parameters]]] = {
    "recurrent": recurrent, "chain": chain, "sequence": sequence, "selection": selection, "gating": gating,
    "gating with copies": gating_with_copies,
}  # fmt: skip
"""From where training starts, and what it may change, for so many neurons."""
