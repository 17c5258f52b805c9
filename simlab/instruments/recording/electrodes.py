"""Extracellular electrodes and the spike sorting after them: misses, contamination, merges, collisions, noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Needs
from simlab.data import recording
from simlab.data.clock import on_clock
from simlab.instruments.placement import (
    check_same_subject,
    check_spikes,
    make_key,
    positions,
    require,
    unit_table,
    unit_variables,
)
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count, Distance, Rate, Refractory, Share


@dataclass(frozen=True)
class Electrodes:
    """Recording sites at random points of the tissue, and what spike sorting makes of their signals.

    A neuron's spikes reach its nearest site with an amplitude that falls exponentially with distance, on noise; those
    above threshold are detected. Neurons that stand out become units; spikes of the others, and some of each unit's
    own, end up in units whose waveforms look alike. Needs spikes.

    The key is fixed when the sites are, before any activity: it states each unit's expected share of spikes from
    every neuron *if all neurons fired at `reference_rate`*; rows sum to less than 1 by the expected noise events.
    `simlab.instruments.placement.weighted_by_rates` gives the shares at the rates that there truly were.
    Units are located at their site, which is all that the experimenter knows.
    """

    name: ClassVar[str] = "electrodes"
    needs: ClassVar[Needs] = Needs(("spikes",))

    n_sites: Count = 32
    """Recording sites (tetrodes or far-apart contacts), each sorted on its own [1]."""

    amplitude: Annotated[float, Within(1e-7, 0.02, "V")] = 120e-6
    """Peak of a spike at distance 0 [V]; with `decay`, 60 uV at 50 um and 17 uV at 140 um: the ranges in which
    neurons can be sorted, and be seen at all (Henze et al. 2000, from memory)."""

    decay: Distance = 72e-6
    """Distance over which the amplitude falls to 1/e [m] (see `amplitude`)."""

    noise: Annotated[float, Within(0, 0.02, "V", excluding=(0,))] = 12e-6
    """Standard deviation of electronic and background noise on a spike's peak [V] (assumed: 10 to 20 uV
    is usual in vivo)."""

    threshold: Annotated[float, Within(0, 1000)] = 4.0
    """Detection threshold, in noise standard deviations [1] (Quian Quiroga et al. 2004, from memory)."""

    isolation: Share = 0.8
    """Share of a neuron's spikes that must be detected for it to form a cluster of its own [1] (assumed)."""

    units_per_site: Count = 8
    """Most neurons that sorting tells apart at one site [1]: 8 to 10 (Pedreira et al. 2012)."""

    contamination: Share = 0.1
    """Share of detected spikes that sorting gives to a neighbour whose waveform is the same [1]; it falls with
    the distance between the two. Omission and commission errors were 0 to 30% in tetrode
    data with intracellular truth (Harris et al. 2000, from memory)."""

    merging: Share = 0.3
    """Probability that two neurons at the same place and site are sorted as one [1] (assumed); falls likewise."""

    confusion_distance: Distance = 30e-6
    """Distance between two neurons over which the likeness of their waveforms falls to 1/e [m] (assumed: about the
    spacing at which footprints on dense probes stop to overlap)."""

    false_positive_rate: Rate = 0.1
    """Noise events in each unit [Hz] (assumed: 4-sigma crossings of 3 kHz noise come at 1 Hz; one in ten is kept)."""

    dead_time: Refractory = 0.75e-3
    """Time after an event in which its site detects no other [s] (assumed: the length of a spike, as in the
    censored period of Hill et al. 2011)."""

    reference_rate: Annotated[float, Within(0, 2000, "Hz", excluding=(0,))] = 5.0
    """Firing rate of every neuron that the key assumes [Hz] (assumed: the order of cortical means)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def implant(self, anatomy: xr.Dataset, rng: np.random.Generator) -> Probe:
        """Lowers the sites into the tissue and sorts; raises SimlabError where no neuron is near enough to a site."""
        place = positions(anatomy)
        sites = rng.uniform(place.min(axis=0), place.max(axis=0), (self.n_sites, 3))
        distance = np.linalg.norm(place[:, None, :] - sites[None, :, :], axis=2)
        site = distance.argmin(axis=1)
        detection = self.detection(distance.min(axis=1))
        isolated = self._isolated(site, detection)
        require(
            bool(isolated.any()),
            f"electrodes: at least one neuron must lie near one of the {self.n_sites} sites, but the nearest is "
            f"{distance.min() * 1e6:.0f} um away: raise n_sites, amplitude or decay",
        )
        members = self._merge(place, site, isolated, rng)
        assignment = self._assignment(place, site, detection, members)
        first = [group[0] for group in members]
        expected = assignment * self.reference_rate
        total = expected.sum(axis=0) + self.false_positive_rate
        key = make_key((expected / total).T).assign_attrs(reference_rate=self.reference_rate)
        return Probe(self, site, site[first], detection, assignment, key, unit_table(sites[site[first]]), sites)

    def detection(self, distance: np.ndarray) -> np.ndarray:
        """Probability that a spike at this distance [m] crosses the threshold; same shape."""
        from scipy.special import ndtr

        peak = self.amplitude * np.exp(-np.asarray(distance) / self.decay)
        return ndtr(peak / self.noise - self.threshold)

    def _isolated(self, site: np.ndarray, detection: np.ndarray) -> np.ndarray:
        """(neuron,) whether it forms a cluster: seen well enough, and among the largest at its site."""
        order = np.lexsort((-detection, site))
        rank = np.empty(len(site), dtype=int)
        starts = np.searchsorted(site[order], np.arange(self.n_sites))
        rank[order] = np.arange(len(site)) - starts[site[order]]
        return (detection >= self.isolation) & (rank < self.units_per_site)

    def _likeness(self, place: np.ndarray, site: np.ndarray) -> np.ndarray:
        """(neuron, neuron) how alike two waveforms are, 0..1: 1 at the same place, 0 between sites."""
        apart = np.linalg.norm(place[:, None, :] - place[None, :, :], axis=2)
        return np.where(site[:, None] == site[None, :], np.exp(-apart / self.confusion_distance), 0.0)

    def _merge(
        self, place: np.ndarray, site: np.ndarray, isolated: np.ndarray, rng: np.random.Generator
    ) -> list[np.ndarray]:
        """The neurons of each unit: one, or more where sorting took them for one."""
        from scipy.sparse.csgraph import connected_components

        neurons = np.flatnonzero(isolated)
        chance = self.merging * self._likeness(place[neurons], site[neurons])
        joined = np.triu(rng.random(chance.shape) < chance, k=1)
        n_units, label = connected_components(joined, directed=False)
        return [neurons[label == unit] for unit in range(n_units)]

    def _assignment(
        self, place: np.ndarray, site: np.ndarray, detection: np.ndarray, members: list[np.ndarray]
    ) -> np.ndarray:
        """(neuron, unit) probability that a spike of the neuron ends up in the unit.

        A spike strays to the units of its site that look alike; stray spikes of units are `contamination` times the
        likeness (at most `contamination` in all); likewise those of neurons without a unit, whose rest is discarded.
        """
        likeness = self._likeness(place, site)
        to_unit = np.column_stack([likeness[:, group].max(axis=1) for group in members])
        own = np.zeros_like(to_unit)
        for unit, group in enumerate(members):
            own[group, unit] = 1.0
        stray = np.where(own > 0, 0.0, self.contamination * to_unit)
        excess = stray.sum(axis=1, keepdims=True) / max(self.contamination, 1e-12)
        stray /= np.maximum(excess, 1.0)
        kept = own * (1 - stray.sum(axis=1, keepdims=True))
        return detection[:, None] * (kept + stray)


@dataclass(frozen=True, eq=False)
class Probe:
    """Electrodes placed in one subject, and how sorting treats each neuron's spikes."""

    electrodes: Electrodes
    site: np.ndarray  # (neuron,) the nearest site
    unit_site: np.ndarray  # (unit,)
    detection: np.ndarray  # (neuron,) probability that a spike is detected
    assignment: np.ndarray  # (neuron, unit) probability that a spike ends up in the unit
    key: xr.DataArray  # (unit, neuron)
    units: xr.Dataset  # unit_x, unit_y, unit_z [m] over unit
    sites: np.ndarray  # (site, 3) where the sites are [m]: the recording's channels

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """Sorted spikes. Raises SimlabError without spikes."""
        check_same_subject(self.key, activity)
        check_spikes("electrodes need", activity)
        trial, time, site, unit = self._events(activity, rng)
        channels: dict[str, Any] = {f"channel_{axis}": self.sites[:, i] for i, axis in enumerate("xyz")}
        seen = ~in_dead_time(site, trial, time, self.electrodes.dead_time) & (unit >= 0)
        return recording(
            duration=activity.attrs["duration"],
            n_units=len(self.unit_site),
            n_trials=activity.sizes["trial"],
            spikes=(trial[seen], time[seen], unit[seen]),
            like=activity,
            **unit_variables(self.units),
            **channels,
        )

    def _events(
        self, activity: xr.Dataset, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Threshold crossings: trial, time [s], site and unit of each; unit is -1 where sorting discards it."""
        neuron = activity["spike_neuron"].values
        fate = self._fate(neuron, rng)
        detected = fate <= len(self.unit_site)
        unit = np.where(fate < len(self.unit_site), fate, -1)
        n_trials, duration = activity.sizes["trial"], float(activity.attrs["duration"])
        n_noise = rng.poisson(self.electrodes.false_positive_rate * duration * n_trials, size=len(self.unit_site))
        noise_unit = np.repeat(np.arange(len(self.unit_site)), n_noise)
        noise_trial = rng.integers(n_trials, size=n_noise.sum())
        noise_time = on_clock(rng.uniform(0, duration, n_noise.sum()), duration)  # or their times would tell them apart
        return (
            np.concatenate([activity["spike_trial"].values[detected], noise_trial]),
            np.concatenate([activity["spike_time"].values[detected], noise_time]),
            np.concatenate([self.site[neuron[detected]], self.unit_site[noise_unit]]),
            np.concatenate([unit[detected], noise_unit]),
        )

    def _fate(self, neuron: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Where each spike (spike,) ends up: its unit, n_units if detected but discarded, n_units + 1 if missed."""
        discarded = np.maximum(self.detection - self.assignment.sum(axis=1), 0)
        bounds = np.cumsum(np.column_stack([self.assignment, discarded]), axis=1)
        n_fates = bounds.shape[1] + 1
        # One sorted list for all neurons: neuron i's bounds lie in i..i+1.
        ladder = (np.minimum(bounds, 1.0) + np.arange(len(bounds))[:, None]).ravel()
        step = np.searchsorted(ladder, neuron + rng.random(len(neuron)), side="right")
        return step - neuron * (n_fates - 1)


def in_dead_time(site: np.ndarray, trial: np.ndarray, time: np.ndarray, dead_time: float) -> np.ndarray:
    """(event,) whether an event falls within `dead_time` [s] of one that its site did detect, in the same trial."""
    order = np.lexsort((time, trial, site))
    group = (site[order].astype(np.int64) << 32) + trial[order]
    clock = time[order]
    lost = np.zeros(len(clock), dtype=bool)
    alive = np.arange(len(clock))
    while len(alive) > 1:
        close = (group[alive[1:]] == group[alive[:-1]]) & (np.diff(clock[alive]) < dead_time)
        close = np.concatenate([[False], close])
        # Of each run of crowded events the second is surely lost to the first; look again at what is left.
        second = close & ~np.concatenate([[False], close[:-1]])
        if not second.any():
            break
        lost[alive[second]] = True
        alive = alive[~second]
    result = np.empty_like(lost)
    result[order] = lost
    return result
