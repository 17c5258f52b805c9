"""Latents by subspace identification: the system is read off covariances, and no likelihood is climbed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol

import numpy as np
import xarray as xr

from methods.latents._factors import NFactors, Seen, refused, seen, wanted_factors
from methods.latents._poisson_states import posterior
from methods.latents._subspace import identified
from methods.latents.pca_latents import Smoothing
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Width

Horizon = Annotated[float, Within(1e-3, 10, "s")]


@dataclass(frozen=True)
class SubspaceIdentification:
    """A linear dynamical system with Poisson counts, found in one step from covariances at lags up to twice `horizon`.

    After Buesing, Macke & Sahani 2012 (NIPS 25: Spectral learning of linear dynamics from generalised-linear
    observations): moments of counts become those of log rates, their Hankel matrix is cut to as many singular values as
    there are states, and its shift gives the transition; states are then inferred by Laplace's approximation. There is
    no local optimum, and noise that a unit has for itself at one moment, Poisson or not, falls out with lag 0. What
    moves slower than a few times the horizon, or together with the trial's course, is seen as well. The number of
    states is found as by `poisson_lds`, which begins where this ends. About a second for 50 units, 100 trials of 2 s.
    """

    name: ClassVar[str] = "subspace_identification"
    question: ClassVar[str] = "latents"
    family: ClassVar[str] = "state space"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=3, trials=2)

    bin_width: Width = 0.02  # s
    selection_smoothing: Smoothing = 0.05  # s, sd of the kernel under which the number of states is chosen
    n_factors: NFactors = 0
    horizon: Horizon = 0.1  # s, of past and of future (Buesing et al. 2012: 10 bins of 10 ms)

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Posterior means of the states; notes: time constants [s] of the modes, longest first."""
        chosen = counted(self, recording, rng)
        if isinstance(chosen, Finding):
            return chosen
        found, number, depth = chosen
        model = identified(found.values, number, depth)
        states = posterior(found.values, model).mean
        return found.finding(states, recording, time_constants=model.time_constants(found.step))


class Counting(Protocol):
    """What a method says of its counts."""

    needs: ClassVar[Needs]

    @property
    def bin_width(self) -> float: ...
    @property
    def selection_smoothing(self) -> float: ...
    @property
    def n_factors(self) -> int: ...
    @property
    def horizon(self) -> float: ...


def counted(method: Counting, recording: xr.Dataset, rng: np.random.Generator) -> tuple[Seen, int, int] | Finding:
    """Counts of active units, how many states they have, and the bins of past and future; or an abstention."""
    if (refusal := refused(recording, method.needs)) is not None:
        return refusal
    found = seen(recording, method.bin_width, 0.0, root=False)
    depth, bins = max(2, round(method.horizon / found.step)), found.values.shape[1]
    if bins < 4 * depth:
        return Finding.abstain(f"needs trials of {4 * depth} bins of {found.step:g} s, got {bins}")
    smooth = seen(recording, method.bin_width, method.selection_smoothing).values
    number = wanted_factors(smooth, method.n_factors, rng)
    return number if isinstance(number, Finding) else (found, number, depth)
