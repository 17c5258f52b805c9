"""GLM sign: a unit excites or inhibits as the sum of its coupling weights onto all others says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.cell_types._signs import pooled, significant, typed
from methods.wiring.coupling_glm import CouplingGLM
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Level, Width


@dataclass(frozen=True)
class GLMSign:
    """The sign of the summed outgoing weights of a Poisson regression of each unit on everybody's recent spikes.

    The model is that of `coupling_glm`, with one weight per pair: the count of unit i in a bin is Poisson with log mean
    b_i + sum_j w_ji (spikes of j within `window`), and its own history likewise. That the summed outgoing weights tell
    excitatory from inhibitory units was shown where the truth is known by Gerhard et al. (2013, PLoS Comput Biol
    9:e1003138), and is how Kobayashi et al. (2019, Nat Commun 10:4468) type units by their couplings. Weights onto
    units that fire seldom are uncertain without bound, so each is divided by its standard error before they are summed
    (Stouffer); under no coupling the sum is a standard normal deviate, and units for which it survives a false
    discovery rate are labelled. What a third recorded unit explains is not held for a coupling, as it is in
    correlograms; what an unrecorded one does is. The weights of many pairs without synapses lean to E in a network in
    which most neurons excite, so that a deviate of a unit without synapses of its own need not be 0 there.

    Needs spikes of two units or more. Cost: some 1 s for 30 units that fire 180,000 spikes; grows with the square of
    the number of units.
    """

    name: ClassVar[str] = "glm_sign"
    question: ClassVar[str] = "cell_type"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = CouplingGLM.needs

    alpha: Level = 0.05
    """False discovery rate of labelled units (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.001
    """Bins of the spike counts [s]."""
    window: Width = 0.006
    """How long a spike is heard [s]: the delay and the first part of a postsynaptic potential (assumed)."""
    ridge: Annotated[float, Within(0, 1e9)] = 1.0
    """Penalty ridge/2 |weights|^2; see `coupling_glm`."""
    prior_inhibitory: Level = 0.2
    """Share of inhibitory units before anything is seen (cortex: 15 to 20%; Braitenberg & Schuez 1998)."""

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.bin_width < self.window,
            f"the GLM needs bin_width < window, got {self.bin_width} and {self.window} s: take finer bins",
        )

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """A label for each unit; abstains without spikes, or where trials are shorter than the window."""
        model = CouplingGLM(bin_width=self.bin_width, window=self.window, n_basis=1, ridge=self.ridge)
        found = model.analyse(recording, rng)
        if found.abstained:
            return found
        # the root of a Wald statistic of one weight is the weight over its standard error
        z = pooled(found.estimate["score"] * found.estimate["sign"])
        return typed(significant(z, self.alpha), z, self.prior_inhibitory, **found.notes)
