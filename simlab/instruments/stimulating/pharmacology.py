"""Pharmacology: a drug injected into tissue, which blocks receptors or silences cells as far as it diffuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.instruments.stimulating.aiming import Tissue, cell_types, check_types, refuse
from simlab.perturbations import SILENCE_CURRENT
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Distance
from simlab.session import Effect, Perturbation

TRANSMITTERS = {"AMPA": "E", "GABA": "I"}
"""Receptors that an antagonist blocks, and the cell type whose synapses use them unless others are named."""

BLOCKED = 0.5
"""Share of its sodium channels without which a cell fires no more (assumed)."""


@dataclass(frozen=True)
class Pharmacology:
    """A drug in a region, or injected at the places of the target units.

    Its effect at a distance d from where it is injected is c = strength exp(-max(d - radius, 0) / diffusion), a share
    of the full one; within a region it is the strength. By `receptor`:

    - AMPA, GABA (antagonists such as NBQX and gabazine): the synapses that cells of `cell_types` make onto a neuron at
      which c arrives are weakened to 1 - c: the receptors are those of the receiving cell, so that a drug in one region
      blocks what comes in, from wherever, and not what goes out
    - muscimol (an agonist of GABA_A): a silencing current of c x `simlab.perturbations.SILENCE_CURRENT` into cells;
      axons that pass are spared
    - TTX: cells at which c is one half or more do not fire at all (they are held at 0 Hz)

    It acts from the start to the stop of the window, evenly: a drug takes minutes to spread and hours to go, and was
    given before. Kind `drug` alone.
    """

    name: ClassVar[str] = "pharmacology"

    receptor: Literal["AMPA", "GABA", "muscimol", "TTX"] = "muscimol"
    """What the drug acts on."""

    cell_types: tuple[str, ...] = ()
    """Whose synapses use the receptor; empty means ("E",) for AMPA and ("I",) for GABA. Of no matter for the others."""

    radius: Annotated[float, Within(0, 0.02, "m")] = 0.5e-3
    """Distance within which the drug acts in full [m]: fluorescent muscimol stays within 0.5 to 1 mm of the injection
    (Allen et al. 2008, J Neurosci Methods 171:30)."""

    diffusion: Distance = 0.5e-3
    """Distance beyond it over which the effect falls to 1/e [m] (assumed: labelled muscimol reaches 1.7 mm, Martin
    1991, Neurosci Lett 127:160, and changes of firing 3 mm, Edeline et al. 2002, Neurobiol Learn Mem 78:100)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def install(self, anatomy: xr.Dataset, key: xr.DataArray, rng: np.random.Generator) -> Syringe:
        """Looks up where cells lie and whose synapses use the receptor; nothing is drawn.

        Raises SimlabError where the subject has no cells of such a type.
        """
        types = cell_types(anatomy)
        if self.receptor not in TRANSMITTERS:
            return Syringe(self, Tissue.of(anatomy, key), np.zeros(len(types)))
        check_types("pharmacology", self.cell_types, types)
        named = self.cell_types or (TRANSMITTERS[self.receptor],)
        sends = np.isin(types, named)
        if not sends.any():
            raise SimlabError(
                f"pharmacology: receptor={self.receptor!r} is used by the synapses of {', '.join(named)} cells, got a "
                f"subject of {', '.join(sorted(set(types.tolist())))}: name the cell_types whose synapses are meant"
            )
        return Syringe(self, Tissue.of(anatomy, key), sends.astype(float))


@dataclass(frozen=True, eq=False)
class Syringe:
    """The drug beside one implant."""

    model: Pharmacology
    tissue: Tissue
    sends: np.ndarray  # (neuron,) 1 where its synapses use the receptor

    def aim(self, perturbation: Perturbation) -> tuple[Effect, ...]:
        """What the drug does to the cells that it reaches, or to the synapses onto them.

        Raises SimlabError for a target outside the implant's units, an unknown region, and any kind but `drug`.
        """
        refuse("pharmacology", perturbation, ("drug",), "a syringe gives a drug; use another stimulator")
        beyond = self.tissue.beyond(perturbation, self.model.radius)
        share = perturbation.strength * np.exp(-beyond / self.model.diffusion)
        window = perturbation.start, perturbation.stop, perturbation.trials
        if self.model.receptor in TRANSMITTERS:
            return (Effect("gain", 1 - np.outer(self.sends, share), *window, over="pair"),)
        if self.model.receptor == "TTX":
            return (Effect("hold", np.where(share >= BLOCKED, 0.0, np.nan), *window),)
        return (Effect("drive", -SILENCE_CURRENT * share, *window),)
