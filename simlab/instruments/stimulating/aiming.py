"""What stimulators share: where units and regions lie, who is meant by them, and which cells make up a share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.instruments.placement import positions
from simlab.session import Perturbation


def regions(anatomy: xr.Dataset) -> np.ndarray:
    """The name of each neuron's region (neuron,)."""
    return anatomy["region"].values.astype(str)


def cell_types(anatomy: xr.Dataset) -> np.ndarray:
    """The name of each neuron's type (neuron,)."""
    return anatomy["cell_type"].values.astype(str)


def check_types(stimulator: str, named: Iterable[str], types: np.ndarray) -> None:
    """Raises SimlabError unless the subject has all cell types that are named."""
    there = sorted(set(types.tolist()))
    if unknown := sorted(set(named) - set(there)):
        raise SimlabError(
            f"{stimulator}: cell_types must be among the subject's {there}, got {unknown}: "
            "name types that exist there, or none for all"
        )


def within(region: str, names: np.ndarray) -> np.ndarray:
    """(neuron,) 1.0 in a region, 0.0 elsewhere; raises SimlabError unless the subject has it."""
    here = names == region
    if not here.any():
        raise SimlabError(
            f"a perturbation's region must be one of the subject's, {', '.join(sorted(set(names)))}, got {region!r}"
        )
    return here.astype(float)


def check_targets(perturbation: Perturbation, n_units: int) -> None:
    """Raises SimlabError unless every target, and every unit that it is onto, is a unit of the implant."""
    for what, units in (("targets", perturbation.targets), ("onto", perturbation.onto)):
        outside = [t for t in units if not (isinstance(t, int | np.integer) and 0 <= t < n_units)]
        if outside:
            raise SimlabError(
                f"a perturbation's {what} must be units 0..{n_units - 1} of the implant, got {outside}: "
                "aim at units that were recorded"
            )


def refuse(stimulator: str, perturbation: Perturbation, does: tuple[str, ...], because: str) -> None:
    """Raises SimlabError where a stimulator cannot do a kind of perturbation; `because` says why, and what can."""
    if perturbation.kind not in does:
        raise SimlabError(f"{stimulator} can {' or '.join(does)}, got kind={perturbation.kind!r}: {because}")


def unit_places(anatomy: xr.Dataset, key: xr.DataArray) -> np.ndarray:
    """(unit, 3) [m] the mean position of each unit's neurons, weighted by the key; NaN where there are none."""
    share = key.transpose("unit", "neuron").values
    total = share.sum(axis=1, keepdims=True)
    return np.where(total > 0, share @ positions(anatomy) / np.maximum(total, 1e-12), np.nan)


def distances(places: np.ndarray, position: np.ndarray) -> np.ndarray:
    """(place, neuron) [m] from places (place, 3) to neurons (neuron, 3); infinite from a place that is nowhere."""
    apart = np.linalg.norm(places[:, None, :] - position[None, :, :], axis=2)
    return np.where(np.isnan(apart), np.inf, apart)


def distinct(units: tuple[int, ...]) -> list[int]:
    """Each unit once, in the order in which they were named."""
    return list(dict.fromkeys(units))


def doomed(meant: np.ndarray, share: float, fate: np.ndarray) -> np.ndarray:
    """(neuron,) bool: the share of those that are meant (bool) that dies, to the nearest whole cell.

    fate: (neuron,) drawn once; who has the least of it dies first, so that a greater share holds the smaller ones.
    """
    order = np.flatnonzero(meant)[np.argsort(fate[meant], kind="stable")]
    dead = np.zeros(len(meant), dtype=bool)
    dead[order[: round(share * len(order))]] = True
    return dead


@dataclass(frozen=True, eq=False)
class Tissue:
    """Where the cells, the units and the regions of one subject lie, for stimulators that spread."""

    position: np.ndarray  # (neuron, 3) m
    region: np.ndarray  # (neuron,) names
    place: np.ndarray  # (unit, 3) m; NaN where a unit has no neuron

    @classmethod
    def of(cls, anatomy: xr.Dataset, key: xr.DataArray) -> Tissue:
        """The tissue around an implant with this key (unit, neuron)."""
        return cls(positions(anatomy), regions(anatomy), unit_places(anatomy, key))

    def beyond(self, perturbation: Perturbation, radius: float) -> np.ndarray:
        """(neuron,) [m] how far each neuron is from what is aimed at: 0 in the region, or within a radius of a target.

        From a region it is the distance to the nearest neuron there. Raises SimlabError for a target outside the
        implant's units, and for an unknown region.
        """
        check_targets(perturbation, len(self.place))
        if perturbation.region:
            here = within(perturbation.region, self.region) > 0
            return distances(self.position[here], self.position).min(axis=0)
        apart = distances(self.place[distinct(perturbation.targets)], self.position)
        return np.maximum(apart.min(axis=0) - radius, 0.0)
