"""The stimulator of thought experiments: hits one neuron, or all of a region, and exactly as asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.session import Effect, Perturbation


@dataclass(frozen=True)
class Ideal:
    """Acts on the one neuron that dominates each target unit, with the strength that was commanded.

    Aimed at a region, it acts on every neuron there. A unit behind which there is no neuron (pure noise in the key) is
    aimed at in vain: nothing happens.
    """

    name: ClassVar[str] = "ideal"

    def install(self, anatomy: xr.Dataset, key: xr.DataArray, rng: np.random.Generator) -> IdealActuator:
        """Looks up each unit's dominant neuron in the key (unit, neuron)."""
        share = key.transpose("unit", "neuron").values
        dominant = np.where(share.max(axis=1, initial=0) > 0, share.argmax(axis=1), -1)
        return IdealActuator(dominant, regions(anatomy))


@dataclass(frozen=True, eq=False)
class IdealActuator:
    """The ideal stimulator beside one implant."""

    dominant: np.ndarray  # (unit,) neuron that gives most of the unit's signal; -1 where there is none
    region: np.ndarray  # (neuron,) names

    def aim(self, perturbation: Perturbation) -> tuple[Effect, ...]:
        """One effect: the commanded strength at the dominant neuron of each target, nothing elsewhere; any kind.

        Raises SimlabError for a target outside the implant's units, and for an unknown region.
        """
        if perturbation.region:
            return (perturbation.effect(within(perturbation.region, self.region)),)
        check_targets(perturbation, len(self.dominant))
        hit = self.dominant[list(perturbation.targets)]
        reach = np.zeros(len(self.region))
        reach[hit[hit >= 0]] = 1.0
        return (perturbation.effect(reach),)


def regions(anatomy: xr.Dataset) -> np.ndarray:
    """The name of each neuron's region (neuron,)."""
    return anatomy["region"].values.astype(str)


def within(region: str, names: np.ndarray) -> np.ndarray:
    """(neuron,) 1.0 in a region, 0.0 elsewhere; raises SimlabError unless the subject has it."""
    here = names == region
    if not here.any():
        raise SimlabError(
            f"a perturbation's region must be one of the subject's, {', '.join(sorted(set(names)))}, got {region!r}"
        )
    return here.astype(float)


def check_targets(perturbation: Perturbation, n_units: int) -> None:
    """Raises SimlabError unless every target is a unit of the implant."""
    outside = [t for t in perturbation.targets if not (isinstance(t, int | np.integer) and 0 <= t < n_units)]
    if outside:
        raise SimlabError(
            f"a perturbation's targets must be units 0..{n_units - 1} of the implant, got {outside}: "
            "aim at units that were recorded"
        )
