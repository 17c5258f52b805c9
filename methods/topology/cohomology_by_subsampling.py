"""Loops of the state space as counted by Kang, Xu & Morozov: a geometric subsample and the largest gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.population._population import unusable
from methods.population.persistent_homology import farthest_points
from methods.topology._clouds import above_largest_gap, persistence
from simlab.contracts import Finding, Needs
from simlab.data import is_spiking, signals
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share, Width


@dataclass(frozen=True)
class CohomologyBySubsampling:
    """Counts loops above the largest gap between lifetimes of a geometric subsample, without a control.

    After Kang, Xu & Morozov (2021, Front Comput Neurosci 15:616748) and their code: each unit's activity is divided by
    its mean, times at which none is active are dropped, 1000 points are taken each farthest from those before, and
    persistence of degree 1 over Z/3 is counted up to the largest gap. The states are taken to be of one piece.

    The rule always finds a loop: it cannot say that there is none, and was made for data that have some. Nor was it
    meant for voids: here the longest counts if it outlives the next `void_ratio` times and is `void_share` of the
    shortest loop that counts, as on a torus; a speck that happens to be alone is no void. Spikes were not its data
    either, but rates; counts are smoothed to come near them.

    Less than a second for 1000 points. Abstains where fewer units are active than it needs, or too few states differ.
    """

    name: ClassVar[str] = "cohomology_by_subsampling"
    question: ClassVar[str] = "topology"
    family: ClassVar[str] = "topological data analysis"
    library: ClassVar[str] = "gudhi"
    needs: ClassVar[Needs] = Needs(units=5, seconds=10.0)

    bin_width: Width = 0.05  # s, of spike counts
    smoothing: Annotated[float, Within(0, 20, "s")] = 0.25
    """s, sd of the Gaussian kernel: an animal crosses a small part of a field."""
    n_points: Annotated[int, Within(10, 3000)] = 1000  # of the geometric subsample (Kang et al. 2021)
    n_points_voids: Annotated[int, Within(10, 600)] = 250  # of them, the first
    void_ratio: Annotated[float, Within(1, 100)] = 2.0
    void_share: Share = 0.25

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The Betti numbers of a Recording with spikes or a signal; notes: the longest lifetimes."""
        refusal = unusable(recording, self.needs)
        if refusal is not None:
            return refusal
        states = self._states(recording)
        if len(np.unique(states, axis=0)) < self.n_points_voids:
            return Finding.abstain(f"fewer than {self.n_points_voids} states differ: too few to sample a shape")
        points = farthest_points(states, self.n_points, rng)
        (loops,) = persistence(points, (1,), field=3)
        (voids,) = persistence(points[: self.n_points_voids], (2,), field=3)
        count, filled = above_largest_gap(loops), np.append(voids, [0.0, 0.0])
        shortest = loops[count - 1] if count else 0.0
        hollow = filled[0] > max(self.void_ratio * filled[1], self.void_share * shortest)
        notes = {"loops": [float(life) for life in loops[:5]], "voids": [float(life) for life in voids[:3]]}
        return Finding({"b0": 1, "b1": count, "b2": int(hollow)}, notes=notes)

    def _states(self, recording: xr.Dataset) -> np.ndarray:
        """(state, unit): smoothed activity over its mean, without times of silence and units without activity."""
        from scipy.ndimage import gaussian_filter1d

        trace = signals(recording, self.bin_width)
        values, time = np.asarray(trace.values, dtype=float), trace["time"].values
        step = float(time[1] - time[0]) if len(time) > 1 else self.bin_width
        if self.smoothing > 0:
            values = gaussian_filter1d(values, self.smoothing / step, axis=1, mode="nearest")
        if not is_spiking(recording):
            values = values - values.min((0, 1))
        flat = values.reshape(-1, values.shape[2])
        flat = flat[:, flat.std(axis=0) > 0]
        flat = flat / flat.mean(axis=0)
        return np.asarray(flat[(flat > 1e-3).any(axis=1)])
