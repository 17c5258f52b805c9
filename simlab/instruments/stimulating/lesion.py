"""Lesions: cells that are destroyed for good, by a toxin that spares the axons that pass, or with all tissue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from simlab.instruments.stimulating.aiming import Tissue, doomed, refuse
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Distance, Share
from simlab.session import Effect, Perturbation


@dataclass(frozen=True)
class Lesion:
    """Destroys a region, or what lies within `radius` of the target units.

    Of the cells there, the strength x `completeness` die, to the nearest whole cell: they are held silent from the
    beginning to the end of each trial. Of others, at a distance d from what is destroyed, an aspiration cuts the
    axons that run through it, with probability

        P(d) = passing exp(-d / axon_reach) x strength,

    so that all synapses that they make are lost (gain 0) while they live on. A toxin (ibotenic acid) spares axons. Who
    dies in which order, and whose axon runs where, is drawn once for all sessions. A session with a lesion is one of
    the same animal after it; how a circuit makes up for the loss is its own affair. Kind `lesion` alone.
    """

    name: ClassVar[str] = "lesion"

    by: Literal["excitotoxin", "aspiration"] = "excitotoxin"
    """What destroys: a toxin that kills cells by their receptors and spares fibres of passage (Schwarcz et al. 1979;
    Jarrard 1989; from memory), or suction (or heat), which takes everything."""

    radius: Annotated[float, Within(0, 0.02, "m")] = 0.2e-3
    """Around a unit's place within which cells die [m] (assumed: 50 to 100 nl spread some 0.2 to 0.5 mm)."""

    completeness: Share = 0.95
    """Share of the cells there that die at full strength [1] (assumed; lesions are seldom complete)."""

    passing: Share = 0.2
    """Probability that a cell right beside an aspiration has an axon through it [1] (assumed)."""

    axon_reach: Distance = 0.5e-3
    """Distance over which that probability falls to 1/e [m] (assumed, as for microstimulation)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def install(self, anatomy: xr.Dataset, key: xr.DataArray, rng: np.random.Generator) -> Surgeon:
        """Draws who dies in which order and how close to its own body each cell's axon keeps, once for all sessions."""
        fate, course = rng.random((2, anatomy.sizes["neuron"]))
        return Surgeon(self, Tissue.of(anatomy, key), fate, course)


@dataclass(frozen=True, eq=False)
class Surgeon:
    """Who makes the lesions beside one implant."""

    model: Lesion
    tissue: Tissue
    fate: np.ndarray  # (neuron,) in which order cells die, from the least on
    course: np.ndarray  # (neuron,) whose axons run through what is destroyed: from the least on

    def aim(self, perturbation: Perturbation) -> tuple[Effect, ...]:
        """The cells that are held silent, and the synapses that an aspiration takes from others.

        Raises SimlabError for a target outside the implant's units, an unknown region, and any kind but `lesion`.
        """
        refuse("lesion", perturbation, ("lesion",), "what is destroyed does nothing else; use another stimulator")
        beyond = self.tissue.beyond(perturbation, self.model.radius)
        dead = doomed(beyond <= 0, perturbation.strength * self.model.completeness, self.fate)
        killed = perturbation.effect(dead.astype(float))
        if self.model.by == "excitotoxin":
            return (killed,)
        chance = perturbation.strength * self.model.passing * np.exp(-beyond / self.model.axon_reach)
        severed = np.where((beyond > 0) & (self.course < chance), 0.0, 1.0)
        return killed, Effect("gain", severed, killed.start, killed.stop, killed.trials)
