"""A feedforward integrator that looks like a line attractor where only a part of its neurons is recorded."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.memory.goldman_chain import hidden_basis, kept_by_chain, schur_form
from circuits.memory.line_attractor import LineAttractor, integrator
from circuits.memory.remembered import MemorySubject, scattered, slopes
from simlab.rules import Within, check_fields, require

SMALL_NOISE = 0.5
"""Hz: each cell's own fluctuation."""


def noisy_line() -> LineAttractor:
    """The line attractor that it looks like by default: a hundred cells with noise of their own, seen as rates."""
    return LineAttractor(n_neurons=100, base=30.0, private_noise=SMALL_NOISE, model="rate")


@dataclass(frozen=True)
class HiddenIntegrator:
    """A functionally feedforward integrator whose neurons all have noise of their own (Qian et al. 2024, NeurIPS 37).

        tau dx = (-(x - base) + W'(x - base) + e I(t)) dt + sqrt(2 tau) sigma dB,     W = Q' S Q (post = W' pre)
        S: stage k drives stage k + 1 with weight 1 and the output mode with g;     e = |s| / g times the first stage

    as `goldman_chain`, but for what moves it between the cues: noise of each neuron, no common input. Every eigenvalue
    is -1 / tau, and yet what noise puts into any stage is carried by the output for the rest of the chain. A model of
    the recorded neurons alone, x_o(t + dt) = A x_o(t), cannot know of the stages that it does not see, and lends what
    they hold to a slow mode of its own: A = (exp(J dt) C)_oo (C_oo)^-1, C the covariance of all. Of all neurons A is
    exp(J dt), without a slow mode; of a tenth of them it has one that lasts for seconds, and only one: a line attractor
    (there: the fewer of a chain's neurons are recorded, the higher the line attractor score of the student; read at the
    level of abstract and captions, so that sizes and noise are ours).

    Matched to a line attractor of the same cells and slopes s: rates, what a cue leaves in each neuron, each neuron's
    own noise, and the drift of the output, for which g^2 = D |s|^2 tau / (2 sigma^2 stages): noise from all `stages`
    adds up to 2 g^2 sigma^2 stages / tau per second. It stops to add up within stages x tau, where the line goes on.
    """

    name: ClassVar[str] = "hidden_integrator"
    mechanism: ClassVar[str] = "hidden feedforward chain"
    twin_of: ClassVar[tuple[str, ...]] = ("line_attractor",)
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity", "topology")

    like: LineAttractor = field(default_factory=noisy_line)  # whose cells, slopes and drift it has
    stages: Annotated[int, Within(2, 1000)] = 30  # 3 s of 0.1 s cells: longer than a delay
    private_noise: Annotated[float, Within(0.001, 50, "Hz")] = SMALL_NOISE  # sigma

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.stages < self.like.n_neurons,
            f"stages must be fewer than the neurons, {self.like.n_neurons}, got {self.stages}: each is a pattern of "
            "its own beside the output's",
        )
        require(
            self.like.diffusion > 0,
            "the diffusion of the line attractor that it is like must be > 0, got 0: where nothing drifts, no noise of "
            "its neurons may reach the output",
        )

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return self.like.modalities

    def imitating(self, circuit: LineAttractor) -> HiddenIntegrator:
        """A copy with the cells, slopes, drift and, where it has any, private noise of this line attractor."""
        noise = circuit.private_noise or self.private_noise
        return replace(self, like=circuit, private_noise=noise, stages=min(self.stages, circuit.n_neurons - 1))

    def subject(self, rng: np.random.Generator) -> MemorySubject:
        """One individual: its slopes and the patterns of its stages."""
        n, slope = self.like.n_neurons, slopes(self.like.n_neurons, self.like.depth, rng)
        basis, gain = hidden_basis(slope, rng), self.readout(slope)
        weights = basis.T @ schur_form(n, self.stages, gain) @ basis
        entry = np.linalg.norm(slope) / gain * basis[1]
        alone = replace(self.like, private_noise=self.private_noise, diffusion=0.0)  # no noise comes in with the cue
        kept = kept_by_chain(self.stages, self.like.time_constant)
        return integrator(self, alone, weights, slope, entry, scattered(n, rng), kept)

    def readout(self, slope: np.ndarray) -> float:
        """g: the weight with which every stage drives the output mode, for slopes (neuron,) [Hz]."""
        carried = 2 * self.private_noise**2 * self.stages / self.like.time_constant
        return float(np.linalg.norm(slope) * np.sqrt(self.like.diffusion / carried))
