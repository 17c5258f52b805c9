"""The community of units that goes along with the behaviour, held for its circuit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.roles._watched import behaviour_at, correlations, over_time
from simlab.contracts import Finding, Needs
from simlab.data import missing
from simlab.rules import check_fields
from simlab.rules.quantities import Share, Width


@dataclass(frozen=True)
class CorrelationClustering:
    """The circuit = all units in one cluster with the behaviour, when both are clustered by their correlations.

    Activity and behaviour in bins of `width`; average linkage (Sokal & Michener 1958) of distances 1 - |r|, cut where
    clusters correlate by less than `least_correlation`, as modules are read off functional connectivity (Power et al.
    2011, Neuron 72:665). Score: the largest |r| of the unit with a factor of the behaviour. Cost: milliseconds.

    It has no error rate: the cut is a convention. What the same stimulus drives is one community, whether it is used or
    not; correlations of counts depend on rates and on the bin.
    """

    name: ClassVar[str] = "correlation_clustering"
    question: ClassVar[str] = "circuit"
    family: ClassVar[str] = "correlation with behaviour"
    library: ClassVar[str] = "scipy"
    needs: ClassVar[Needs] = Needs(units=1, behaviour=True)

    width: Width = 0.1
    """Of a bin [s]."""
    least_correlation: Share = 0.3
    """Between the clusters that are still joined (assumed; 0.2 to 0.5 are common)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The units of the behaviour's community; abstains where it has none."""
        if reason := missing(recording, self.needs):
            return Finding.abstain(reason)
        activity, centres = over_time(recording, self.width)
        behaviour = behaviour_at(recording, centres)
        if isinstance(behaviour, Finding):
            return behaviour
        both = np.concatenate([activity, behaviour], axis=2)
        both = both.reshape(-1, both.shape[2])
        if len(both) < 3:
            return Finding.abstain(f"{len(both)} bins are too few for correlations")
        r = np.abs(correlations(both, both))
        n = activity.shape[2]
        cluster = _clusters(r, self.least_correlation)
        members = np.isin(cluster[:n], cluster[n:])
        if not members.any():
            return Finding.abstain(f"no unit's cluster correlates with the behaviour by {self.least_correlation:g}")
        return Finding({"members": members, "score": r[:n, n:].max(axis=1)})


def _clusters(r: np.ndarray, least: float) -> np.ndarray:
    """(variable,) labels of clusters whose members correlate by `least` or more on average."""
    from scipy.cluster.hierarchy import fcluster, linkage

    distance = np.maximum(1 - r[np.triu_indices(len(r), 1)], 0.0)
    return np.asarray(fcluster(linkage(distance, "average"), 1 - least + 1e-12, "distance"))
