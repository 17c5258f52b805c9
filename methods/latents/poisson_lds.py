"""Latents by a linear dynamical system whose Poisson readings the spikes are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.latents._factors import NFactors
from methods.latents._poisson_states import posterior, refitted
from methods.latents._subspace import identified
from methods.latents.pca_latents import Smoothing
from methods.latents.subspace_identification import Horizon, counted
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats, Width


@dataclass(frozen=True)
class PoissonLds:
    """x' = A x + noise, counts Poisson with mean exp(C x + d), fitted by expectation-maximisation.

    After Macke et al. 2011 (NIPS 24: Empirical models of spiking in neural populations). States are inferred by
    Laplace's approximation (Smith & Brown 2003, Neural Comput 15:965), and the fit begins at what subspace
    identification finds (Buesing, Macke & Sahani 2012). Counts are taken as they are: no square root, no smoothing. Its
    states are Markov, and so rougher than Gaussian-process factors. Their number is that of components above shifted
    data after smoothing (`selection_smoothing`), unless it is given. Our own: the libraries that have it need jax and
    nightly builds, or are not kept. Cost: grows with trials x bins; some 10 s for 50 units, 100 trials of 2 s.
    """

    name: ClassVar[str] = "poisson_lds"
    question: ClassVar[str] = "latents"
    family: ClassVar[str] = "state space"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=3, trials=2)

    bin_width: Width = 0.02  # s (Macke et al. 2011: 10 ms)
    selection_smoothing: Smoothing = 0.05  # s, sd of the kernel under which the number of states is chosen
    n_factors: NFactors = 0
    iterations: Repeats = 30  # at most
    least_gain: Annotated[float, Within(0, 100)] = 1e-3  # nats per trial, of evidence: less ends the iteration
    horizon: Horizon = 0.1  # s, of past and of future in the first guess
    ridge: Annotated[float, Within(0, 1e6)] = 1.0  # precision of loadings; spikes number hundreds

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Posterior means of the states; notes: time constants [s], evidence by iteration [nats per trial]."""
        chosen = counted(self, recording, rng)
        if isinstance(chosen, Finding):
            return chosen
        found, number, depth = chosen
        model = identified(found.values, number, depth)
        states = posterior(found.values, model)
        evidence = [float(states.evidence.mean())]
        for _ in range(self.iterations):
            model = refitted(found.values, model, states, self.ridge)
            states = posterior(found.values, model, states.mean)
            evidence.append(float(states.evidence.mean()))
            if evidence[-1] - evidence[-2] < self.least_gain:
                break
        notes = {"time_constants": model.time_constants(found.step), "evidence": evidence}
        return found.finding(states.mean, recording, **notes)
