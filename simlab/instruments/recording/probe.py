"""Electrodes in one subject: which spikes of which neurons end up in which sorted unit, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
import xarray as xr

from simlab.data import recording
from simlab.data.clock import on_clock
from simlab.instruments.placement import (
    check_same_subject,
    check_spikes,
    make_key,
    require,
    unit_table,
    unit_variables,
)
from simlab.instruments.recording.sorting import Cells, Manner, assignment
from simlab.instruments.recording.tissue_around import Neighbours

STRIDE = 2e-6
"""Drift that is taken at once [m]."""


class Sorter(Protocol):
    """What a probe asks of the electrodes that it is made of; see `Electrodes`."""

    @property
    def manner(self) -> Manner: ...
    @property
    def false_positive_rate(self) -> float: ...
    @property
    def false_discovery_rate(self) -> float | None: ...
    @property
    def reference_rate(self) -> float: ...
    @property
    def dead_time(self) -> float: ...
    @property
    def min_spikes(self) -> int: ...
    @property
    def drift(self) -> float: ...
    def detection(self, distance: np.ndarray, deviation: float | None = None) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Fates:
    """What becomes of spikes at one moment."""

    assignment: np.ndarray  # (neuron, unit) probability that a spike ends up in the unit
    nobody: np.ndarray  # (unit,) rate of events of no neuron of the subject: noise, and spikes of others [Hz]
    detection: np.ndarray  # (neuron,) probability that a spike is detected

    @classmethod
    def mean(cls, moments: list[Fates]) -> Fates:
        """Over moments that lasted equally long."""
        parts = ([getattr(moment, field.name) for moment in moments] for field in fields(cls))
        return cls(*(np.mean(part, axis=0) for part in parts))

    def draw(self, neuron: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Where each spike (spike,) ends up: its unit, n_units if detected but discarded, n_units + 1 if missed."""
        discarded = np.maximum(self.detection - self.assignment.sum(axis=1), 0)
        bounds = np.cumsum(np.column_stack([self.assignment, discarded]), axis=1)
        n_fates = bounds.shape[1] + 1
        # One sorted list for all neurons: neuron i's bounds lie in i..i+1.
        ladder = (np.minimum(bounds, 1.0) + np.arange(len(bounds))[:, None]).ravel()
        step = np.searchsorted(ladder, neuron + rng.random(len(neuron)), side="right")
        return step - neuron * (n_fates - 1)


@dataclass(frozen=True, eq=False)
class Probe:
    """Electrodes placed in one subject, and how sorting treats each neuron's spikes."""

    electrodes: Sorter
    sites: np.ndarray  # (site, 3) where the sites are [m]: the recording's channels
    cells: Cells  # the subject's neurons, then its neighbours
    neighbours: Neighbours
    members: list[np.ndarray]  # the cells of every cluster; (cluster,)
    reported: np.ndarray  # (unit,) the cluster that each unit is
    deviation: float  # of all noise [V]
    direction: np.ndarray  # (3,) unit vector in which the tissue drifts
    scale: np.ndarray  # (unit,) factor on all that is not the unit's neuron, that makes its share what was asked for
    added: np.ndarray  # (unit,) rate of events of nobody, for the same end [Hz]
    key: xr.DataArray  # (unit, neuron)

    @classmethod
    def placed(cls, *, cells: Cells, neighbours: Neighbours, members: list[np.ndarray], **parts: Any) -> Probe:
        """The probe as it is before any session: its units are the clusters that hold a neuron of the subject."""
        n_neurons = len(cells.site) - len(neighbours.site)
        reported = np.flatnonzero([bool((group < n_neurons).any()) for group in members])
        n_units = len(reported)
        parts |= {
            "scale": np.ones(n_units),
            "added": np.zeros(n_units),
            "key": make_key(np.zeros((n_units, n_neurons))),
        }
        probe = cls(cells=cells, neighbours=neighbours, members=members, reported=reported, **parts).dialled()
        return probe.keyed(probe.fates(np.zeros(3)))

    @property
    def unit_site(self) -> np.ndarray:
        """(unit,) the site of each."""
        first = [self.members[cluster].min() for cluster in self.reported]
        return self.cells.site[np.array(first, dtype=int)]

    @property
    def units(self) -> xr.Dataset:
        """unit_x, unit_y, unit_z [m] over unit: the site of each."""
        return unit_table(self.sites[self.unit_site])

    @property
    def detection(self) -> np.ndarray:
        """(neuron,) probability that a spike is detected, before any drift."""
        return self.fates(np.zeros(3)).detection

    @property
    def main(self) -> np.ndarray:
        """(unit,) the neuron of each that is seen best."""
        n_neurons, seen = self.key.sizes["neuron"], self._detected(np.zeros(3))
        groups = [self.members[cluster] for cluster in self.reported]
        return np.array([max(group[group < n_neurons], key=lambda cell: seen[cell]) for group in groups], dtype=int)

    def _detected(self, shift: np.ndarray) -> np.ndarray:
        """(cell,) probability that a spike is detected where the tissue has moved by `shift` [m]."""
        distance = np.linalg.norm(self.cells.place + shift - self.sites[self.cells.site], axis=1)
        return self.electrodes.detection(distance, self.deviation)

    def fates(self, shift: np.ndarray) -> Fates:
        """What becomes of spikes where the tissue has moved by `shift` (3,) [m] since units were formed."""
        n_neurons, detected = self.key.sizes["neuron"], self._detected(shift)
        every = assignment(self.cells, detected, self.members, self.electrodes.manner, shift)[:, self.reported]
        others = (every[n_neurons:] * self.neighbours.rate[:, None]).sum(axis=0)
        main = self.main, np.arange(len(self.reported))
        mine = every[:n_neurons] * self.scale
        mine[main] = every[main]
        nobody = self.scale * (self.electrodes.false_positive_rate + others) + self.added
        return Fates(mine, nobody, detected[:n_neurons])

    def dialled(self) -> Probe:
        """With the false discoveries that were asked for: fewer of those that there are, or more of nobody's."""
        asked, rate = self.electrodes.false_discovery_rate, self.electrodes.reference_rate
        if asked is None:
            return self
        fates = self.fates(np.zeros(3))
        own = fates.assignment[self.main, np.arange(len(self.reported))] * rate
        others = fates.assignment.sum(axis=0) * rate - own + fates.nobody
        wanted = own * asked / (1 - asked)
        scale = np.minimum(1, np.divide(wanted, others, out=np.ones_like(others), where=others > 0))
        return replace(self, scale=scale, added=np.maximum(wanted - others, 0))

    def keyed(self, fates: Fates) -> Probe:
        """With the key of these fates."""
        rate = self.electrodes.reference_rate
        expected = fates.assignment * rate
        total = expected.sum(axis=0) + fates.nobody
        share = np.divide(expected, total, out=np.zeros_like(expected), where=total > 0)
        return replace(self, key=make_key(share.T).assign_attrs(reference_rate=rate))

    def _course(self, activity: xr.Dataset) -> Iterator[tuple[Fates, np.ndarray, float, float]]:
        """The session in pieces of little drift: fates, the spikes within (spike,), start and length [s]."""
        session = float(activity.attrs["duration"]) * activity.sizes["trial"]
        n_pieces = max(1, int(np.ceil(self.electrodes.drift * session / STRIDE)))
        length = session / n_pieces
        piece = np.minimum((session_time(activity) / length).astype(int), n_pieces - 1)
        for k in range(n_pieces):
            moved = self.electrodes.drift * (k + 0.5) * length
            yield self.fates(moved * self.direction), np.flatnonzero(piece == k), k * length, length

    def settled(self, activity: xr.Dataset) -> Probe:
        """The probe with those units alone that sorting finds in a session: of at least `min_spikes` expected spikes.

        Where the tissue drifts, their key is that of the whole session. Raises SimlabError where there are none.
        """
        check_spikes("electrodes need", activity)
        if not (self.electrodes.min_spikes or self.electrodes.drift):
            return self
        pieces = list(self._course(activity))
        neuron, n_neurons = activity["spike_neuron"].values, self.key.sizes["neuron"]
        count = sum(
            np.bincount(neuron[spikes], minlength=n_neurons) @ fates.assignment + fates.nobody * length
            for fates, spikes, _, length in pieces
        )
        found = np.asarray(count) >= self.electrodes.min_spikes
        require(
            bool(found.any()),
            f"electrodes: at least one unit must fire min_spikes = {self.electrodes.min_spikes} spikes, but the "
            f"most in this session is {np.max(count):.0f}: record for longer or lower min_spikes",
        )
        whole = self.keyed(Fates.mean([fates for fates, *_ in pieces]))
        key = whole.key.isel(unit=found).assign_coords(unit=np.arange(found.sum()))
        return replace(self, key=key, reported=self.reported[found], scale=self.scale[found], added=self.added[found])

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """Sorted spikes. Raises SimlabError without spikes."""
        check_same_subject(self.key, activity)
        check_spikes("electrodes need", activity)
        trial, time, site, unit = self._events(activity, rng)
        channels: dict[str, Any] = {f"channel_{axis}": self.sites[:, i] for i, axis in enumerate("xyz")}
        seen = ~in_dead_time(site, trial, time, self.electrodes.dead_time) & (unit >= 0)
        return recording(
            duration=activity.attrs["duration"],
            n_units=len(self.reported),
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
        n_units, neuron = len(self.reported), activity["spike_neuron"].values
        fate = np.empty(len(neuron), dtype=np.int64)
        owner, when = [], []
        for fates, spikes, start, length in self._course(activity):
            fate[spikes] = fates.draw(neuron[spikes], rng)
            owner.append(np.repeat(np.arange(n_units), rng.poisson(fates.nobody * length)))
            when.append(start + rng.uniform(0, length, len(owner[-1])))
        nobody, clock, duration = np.concatenate(owner), np.concatenate(when), float(activity.attrs["duration"])
        trial = np.minimum((clock / duration).astype(int), activity.sizes["trial"] - 1)
        time = on_clock(np.clip(clock - trial * duration, 0, duration), duration)  # or times would tell them apart
        detected = fate <= n_units
        return (
            np.concatenate([activity["spike_trial"].values[detected], trial]),
            np.concatenate([activity["spike_time"].values[detected], time]),
            np.concatenate([self.cells.site[neuron[detected]], self.unit_site[nobody]]),
            np.concatenate([np.where(fate < n_units, fate, -1)[detected], nobody]),
        )


def session_time(activity: xr.Dataset) -> np.ndarray:
    """(spike,) [s] since the session began, trials being laid end to end."""
    return activity["spike_trial"].values * float(activity.attrs["duration"]) + activity["spike_time"].values


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
