"""The stimulator of thought experiments: hits one neuron, or all of a region, and exactly as asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from simlab.instruments.placement import dominant_neurons
from simlab.instruments.stimulating.aiming import check_targets, doomed, regions, within
from simlab.instruments.stimulating.cold import cold_effects
from simlab.session import Effect, Perturbation


@dataclass(frozen=True)
class Ideal:
    """Acts on the one neuron that dominates each target unit, with the strength that was commanded.

    Aimed at a region, it acts on every neuron there. A unit behind which there is no neuron (pure noise in the key) is
    aimed at in vain: nothing happens. Every kind is done exactly. To `cool` brings just these neurons to the
    temperature at once and back (`simlab.instruments.stimulating.cold`: Q10 of 2 on the synapses that they make, silent
    below 20 degrees C); a `drug` takes its share from the synapses that they make; a `lesion` kills its share of them,
    to the nearest whole cell, whom being drawn once for all sessions; `edit` and `cut` with units that they are onto
    change just the synapses from the neurons that are meant to the ones that dominate those units.
    """

    name: ClassVar[str] = "ideal"

    def install(self, anatomy: xr.Dataset, key: xr.DataArray, rng: np.random.Generator) -> IdealActuator:
        """Looks up each unit's dominant neuron in the key (unit, neuron), and draws in which order cells would die."""
        names = regions(anatomy)
        return IdealActuator(dominant_neurons(key), names, rng.random(len(names)))


@dataclass(frozen=True, eq=False)
class IdealActuator:
    """The ideal stimulator beside one implant."""

    dominant: np.ndarray  # (unit,) neuron that gives most of the unit's signal; -1 where there is none
    region: np.ndarray  # (neuron,) names
    fate: np.ndarray  # (neuron,) in which order cells die, from the least on

    def aim(self, perturbation: Perturbation) -> tuple[Effect, ...]:
        """The commanded strength at the neurons that are meant, nothing elsewhere; any kind.

        Raises SimlabError for a target outside the implant's units, and for an unknown region.
        """
        check_targets(perturbation, len(self.dominant))
        region = perturbation.region
        reach = within(region, self.region) if region else self._at(perturbation.targets)
        if perturbation.kind == "cool":
            window = perturbation.start, perturbation.stop
            return cold_effects(perturbation.strength * reach, window, perturbation.trials)
        if perturbation.kind == "lesion":
            reach = doomed(reach > 0, perturbation.strength, self.fate).astype(float)
        onto = self._at(perturbation.onto) if perturbation.onto else None
        return (perturbation.effect(reach, onto),)

    def _at(self, units: tuple[int, ...]) -> np.ndarray:
        """(neuron,) 1.0 at the dominant neuron of each unit."""
        hit = self.dominant[list(units)]
        reach = np.zeros(len(self.region))
        reach[hit[hit >= 0]] = 1.0
        return reach
