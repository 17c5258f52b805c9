"""Memory without feedback: a feedforward chain that an orthogonal change of basis hides in a recurrent network."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.memory.line_attractor import LineAttractor, integrator
from circuits.memory.remembered import MemorySubject, scattered, slopes
from simlab.rules import Within, check_fields, require


@dataclass(frozen=True)
class GoldmanChain:
    """The functionally feedforward integrator of Goldman (2009): all modes decay fast, and a value outlasts them.

        W = Q' S Q (post = W' pre),    S: stage k drives stage k + 1 with weight 1 and the output mode with `readout`
        tau dy_1/dt = -y_1 + I,   tau dy_k/dt = -y_k + y_(k-1),   tau dz/dt = -z + readout sum_k y_k

    Q is orthogonal: its rows are the Schur vectors, the first the pattern of slopes s / |s| (the output mode z), the
    next `stages` the chain's, drawn at random; the rest decay alone. S is strictly triangular, so that every
    eigenvalue of the Jacobian is -1 / tau: no mode is slow. Yet what is put into stage 1 is handed on from stage to
    stage and the output holds it for about stages x tau, 4 s of 0.1 s cells: non-normal amplification
    instead of feedback (Goldman 2009, Neuron 61:621; Ganguli, Huh & Sompolinsky 2008, PNAS 105:18970).

    Rates are seen along the output mode, with 1 / readout of them along the chain's: to the eye each neuron's rate
    rises with the remembered value and stays, as in the line attractor of the same slopes and input noise that it is
    made to match. A push along the output mode is gone within tau; one that hits the chain comes out of it later.

    `timescale` is the `duration` of the memory, after which 1/e is left of what was put in, as after T in an
    integrator that leaks. It forgets nearly all at once: noise's autocorrelation falls along a straight line, not as
    an exponential, to 1/e at about .63 of that.
    """

    name: ClassVar[str] = "goldman_chain"
    mechanism: ClassVar[str] = "hidden feedforward chain"
    twin_of: ClassVar[tuple[str, ...]] = ("line_attractor",)
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "connectivity", "topology", "timescale")

    like: LineAttractor = field(default_factory=LineAttractor)  # whose cells, slopes and input it has
    stages: Annotated[int, Within(2, 1000)] = 40  # (Goldman 2009: 100 neurons of 100 ms keep 10 s)
    readout: Annotated[float, Within(0.5, 100)] = 5.0  # with which every stage drives the output mode

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.stages < self.like.n_neurons,
            f"stages must be fewer than the neurons, {self.like.n_neurons}, got {self.stages}: each is a pattern of "
            "its own beside the output's",
        )

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return self.like.modalities

    @property
    def duration(self) -> float:
        """How long [s] it keeps a value."""
        return kept_by_chain(self.stages, self.like.time_constant)

    def imitating(self, circuit: LineAttractor) -> GoldmanChain:
        """A copy with the cells, slopes and input of this line attractor."""
        return replace(self, like=circuit, stages=min(self.stages, circuit.n_neurons - 1))

    def subject(self, rng: np.random.Generator) -> MemorySubject:
        """One individual: its slopes and the patterns of its stages."""
        like, n = self.like, self.like.n_neurons
        slope = slopes(n, like.depth, rng)
        basis = hidden_basis(slope, rng)
        weights = basis.T @ schur_form(n, self.stages, self.readout) @ basis
        entry = np.linalg.norm(slope) / self.readout * basis[1]
        return integrator(self, like, weights, slope, entry, scattered(n, rng), self.duration)


def schur_form(n_neurons: int, stages: int, readout: float) -> np.ndarray:
    """S (pre, post) among Schur vectors: 0 is the output mode, 1 to `stages` the chain that drives it."""
    form = np.zeros((n_neurons, n_neurons))
    stage = np.arange(1, stages + 1)
    form[stage, 0] = readout
    form[stage[:-1], stage[1:]] = 1.0
    return form


def hidden_basis(slope: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Orthonormal rows (vector, neuron), the first along the slopes and the others in random directions."""
    columns = rng.normal(size=(len(slope), len(slope)))
    columns[:, 0] = slope
    basis = np.linalg.qr(columns)[0].T
    return basis * np.where(basis[0] @ slope > 0, 1.0, -1.0)


def kept_by_chain(stages: int, tau: float) -> float:
    """How long [s] a chain keeps what enters it: stages + 1 waits of tau [s] end later than that with a chance of 1/e.

    What enters stage 1 at once is in the output mode as readout (Q(stages + 1, t / tau) - exp(-t / tau)), Q the
    regularised upper incomplete gamma function; the second term is gone within a few tau.
    """
    from scipy.special import gammainccinv

    return float(tau * gammainccinv(stages + 1, np.exp(-1)))
