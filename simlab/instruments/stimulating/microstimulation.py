"""Microstimulation: current from the tip of an electrode, into cells near it and into axons that pass by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.instruments.stimulating.aiming import Tissue, check_targets, distances, distinct, refuse, within
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Distance, Share
from simlab.session import Effect, Perturbation


@dataclass(frozen=True)
class Microstimulation:
    """An electrode at the place of each target unit, or one in the middle of a region.

    A strength of s is a current I = s x `unit_current`. The threshold of a cell grows with the square of its distance r
    from the tip, so that a cell gets I / (K r^2) rheobases: one at the radius sqrt(I / K) of direct activation, less
    beyond. An axon is excited in the same way at its nearest point to the tip, and then its cell fires, wherever that
    is. How near the axon of a cell whose body is d away passes is drawn once, so that within the radius that belongs
    to `unit_current` it is

        P(d) = passing exp(-d / axon_reach),

    in proportion to the area, and thus to the current: sparse cells, near and far. An axon out of that reach does
    nothing; a cell gets the greater of what arrives at its body and at its axon, `largest` at most. Currents of several
    electrodes act apart: a cell gets the greatest. It excites: nothing else can be asked of it.
    """

    name: ClassVar[str] = "microstimulation"

    unit_current: Annotated[float, Within(1e-7, 1e-3, "A")] = 10e-6
    """The current of strength 1 [A]: 10 uA, as in Histed et al. (2009), who went to threshold at 4 to 15 uA (from
    memory)."""

    excitability: Annotated[float, Within(1.0, 1e5, "A/m^2")] = 1292.0
    """K, the threshold current per squared distance [A/m^2, the same figure as uA/mm^2]: 1292 for pyramidal tract cells
    and pulses of 0.2 ms (Stoney et al. 1968; Tehovnik et al. 2006; from memory). 10 uA thus reach 88 um."""

    passing: Share = 0.05
    """Probability that a cell beside the tip has an axon within the radius of `unit_current` [1] (assumed: sparse,
    as imaged by Histed, Bonin & Reid 2009, Neuron 63:508, who find axons within tens of um to be what is excited)."""

    axon_reach: Distance = 0.5e-3
    """Distance over which that probability falls to 1/e [m] (assumed: cells up to millimetres away were activated)."""

    largest: Annotated[float, Within(1, 1000)] = 20.0
    """What a cell right at the tip gets at most [rheobases] (assumed)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def install(self, anatomy: xr.Dataset, key: xr.DataArray, rng: np.random.Generator) -> Electrode:
        """Draws how near each cell's axon passes each unit's place, and each region's middle, once for all sessions."""
        tissue = Tissue.of(anatomy, key)
        names = np.unique(tissue.region)
        middles = np.array([tissue.position[tissue.region == name].mean(axis=0) for name in names])
        near = [self._drives(tips, tissue.position, rng) for tips in (tissue.place, middles)]
        return Electrode(*near[0], dict(zip(names.tolist(), zip(*near[1], strict=True), strict=True)), tissue, self)

    def _drives(
        self, tips: np.ndarray, position: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """(tip, neuron) rheobases that strength 1 has at each cell's body, and at the nearest point of its axon."""
        away = distances(tips, position)
        reach = np.sqrt(self.unit_current / self.excitability)
        chance = self.passing * np.exp(-away / self.axon_reach)
        # Within a radius x of the tip with probability chance (x / reach)^2: x^2 = reach^2 u / chance, u uniform.
        luck = 1 - rng.random(away.shape)
        return (reach / np.maximum(away, reach * 1e-3)) ** 2, chance / luck


@dataclass(frozen=True, eq=False)
class Electrode:
    """The electrodes beside one implant."""

    body: np.ndarray  # (unit, neuron) rheobases at the cell's body, of strength 1
    axon: np.ndarray  # (unit, neuron) the same at its axon
    middle: dict[str, tuple[np.ndarray, np.ndarray]]  # region -> both from its middle (neuron,)
    tissue: Tissue
    model: Microstimulation

    def aim(self, perturbation: Perturbation) -> tuple[Effect, ...]:
        """The drive of cells near the tips, and of those whose axons are.

        Raises SimlabError for a target outside the implant's units, an unknown region, and any kind but `stimulate`.
        """
        refuse(
            "microstimulation", perturbation, ("stimulate",), "current excites; use optogenetics or another stimulator"
        )
        check_targets(perturbation, len(self.body))
        if perturbation.region:
            within(perturbation.region, self.tissue.region)
            body, axon = self.middle[perturbation.region]
        else:
            tips = distinct(perturbation.targets)
            body, axon = self.body[tips].max(axis=0), self.axon[tips].max(axis=0)
        strength = perturbation.strength
        fires = np.where(strength * axon >= 1, axon, 0.0)
        drive = np.minimum(strength * np.maximum(body, fires), self.model.largest)
        return (Effect("drive", drive, perturbation.start, perturbation.stop, perturbation.trials),)
