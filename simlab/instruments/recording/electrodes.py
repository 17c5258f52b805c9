"""Extracellular electrodes and the spike sorting after them: misses, contamination, merges, collisions, noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Needs
from simlab.instruments.placement import positions, require
from simlab.instruments.recording.probe import Probe
from simlab.instruments.recording.sorting import Cells, Manner, clusters, isolated
from simlab.instruments.recording.tissue_around import HEARD, Fall, Neighbours, background_noise, neighbours_of
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count, Density, Distance, Rate, Refractory, Share


@dataclass(frozen=True)
class Electrodes:
    """Recording sites at random points of the tissue, and what spike sorting makes of their signals.

    A neuron's spikes reach its nearest site with an amplitude that falls exponentially with distance, on noise; those
    above threshold are detected. Neurons that stand out become units; spikes of the others, and some of each unit's
    own, end up in units whose waveforms look alike. Needs spikes.

    A circuit simulates a few neurons of a tissue. With a `tissue_density`, those that it leaves out are there too. Far
    ones are noise (`tissue_around`), which hides small spikes. Near ones take some of the few clusters that sorting
    finds at a site; their spikes stray into units, whole neurons are merged into them, and in the key these belong to
    nobody. Clusters of such neurons alone are not handed out: there is no truth about them.

    The tissue may drift past the sites (`drift`): clusters wait where their neurons were, spikes of these get lost
    exponentially with the distance gone over `confusion_distance` and others' come in their place.

    The key is fixed when the sites are, before any activity: it states each unit's expected share of spikes from
    every neuron *if all neurons fired at `reference_rate`*; rows sum to less than 1 by the expected noise events.
    `simlab.instruments.placement.weighted_by_rates` gives the shares at the rates that there truly were.
    What depends on a session, the units that fire too little to be found (`min_spikes`) and the drift, is settled
    by `Probe.settled`. Units are located at their site, which is all that the experimenter knows.
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

    tissue_density: Density | None = None
    """Neurons per volume of tissue [1/m^3]: 9e13, that is 90,000 per mm^3, in mouse cortex (Schuez & Palm 1989, from
    memory). None: there are no neurons but the circuit's, a fortieth of that in most circuits. With a density, `noise`
    is that of electronics and of fluctuations that are no spikes."""

    tissue_rate: Rate = 1.0
    """Mean rate of the neurons that are not simulated [Hz]; each has its own, lognormally (most cortical neurons fire
    below 1 Hz: O'Connor et al. 2010; Barth & Poulet 2012; from memory)."""

    spike_width: Annotated[float, Within(1e-5, 5e-3, "s")] = 0.2e-3
    """Integral of a spike's squared waveform over its squared peak [s] (assumed: a trough of .2 ms at half depth
    and the slow hump after it)."""

    false_discovery_rate: Annotated[float, Within(0, 1, excluding=(1,))] | None = None
    """Share of a unit's spikes that are not its neuron's, if all neurons fired at `reference_rate` [1]: medians of 3.1
    to 50% are predicted for public sortings (Vincent & Economo 2024, eNeuro 11:0554-23). None: what contamination,
    merges, noise events and the tissue's density make it."""

    min_spikes: Annotated[int, Within(0, 1_000_000)] = 0
    """Spikes in a session from which on sorting finds a unit [1]: some hundreds make a cluster. Of neurons of lognormal
    rates the slow ones are missed, and rates look higher than they are (Shoham et al. 2006; Pedreira et al. 2012)."""

    drift: Annotated[float, Within(0, 1e-5, "m/s")] = 0.0
    """Speed at which the tissue moves past the sites, in one direction [m/s]: 10 um in ten minutes is 1.7e-8 (tens of
    um in an hour: Steinmetz et al. 2021, from memory)."""

    regions: tuple[str, ...] = ()
    """Regions of the anatomy that the sites are lowered into; none: all of it."""

    depth: tuple[Annotated[float, Within(-0.02, 0.02, "m")], Annotated[float, Within(-0.02, 0.02, "m")]] | None = None
    """Lowest and highest z of the neurons among which the sites are [m], such as those of a layer; None: any."""

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def manner(self) -> Manner:
        """How well sorting tells neurons apart."""
        return Manner(self.isolation, self.units_per_site, self.contamination, self.merging, self.confusion_distance)

    @property
    def deviation(self) -> float:
        """Standard deviation of all noise on a site [V], that of neurons out of reach included."""
        if self.tissue_density is None:
            return self.noise
        fall = Fall(self.amplitude, self.decay, self.threshold)
        return background_noise(fall, self.noise, self.tissue_density, self.tissue_rate, self.spike_width)

    def detection(self, distance: np.ndarray, deviation: float | None = None) -> np.ndarray:
        """Probability that a spike at this distance [m] crosses the threshold, on noise of this deviation [V]."""
        from scipy.special import ndtr

        peak = self.amplitude * np.exp(-np.asarray(distance) / self.decay)
        return ndtr(peak / (self.deviation if deviation is None else deviation) - self.threshold)

    def implant(self, anatomy: xr.Dataset, rng: np.random.Generator) -> Probe:
        """Lowers the sites into the tissue and sorts; raises SimlabError where it finds no neuron of the subject."""
        place, deviation = positions(anatomy), self.deviation
        aimed = place[self._aimed(anatomy)]
        sites = rng.uniform(aimed.min(axis=0), aimed.max(axis=0), (self.n_sites, 3))
        distance = np.linalg.norm(place[:, None, :] - sites[None, :, :], axis=2)
        others = self._neighbours(sites, place, deviation, rng)
        cells = Cells(np.concatenate([place, others.place]), np.concatenate([distance.argmin(axis=1), others.site]))
        nearest = np.linalg.norm(cells.place - sites[cells.site], axis=1)
        alone = isolated(cells, self.detection(nearest, deviation), self.n_sites, self.manner)
        require(
            bool(alone[: len(place)].any()),
            f"electrodes: at least one neuron must lie near one of the {self.n_sites} sites and stand out there, but "
            f"the nearest is {distance.min() * 1e6:.0f} um away: raise n_sites, amplitude or decay",
        )
        members = clusters(cells, alone, self.manner, rng)
        direction = rng.standard_normal(3) if self.drift else np.array([0.0, 0.0, 1.0])
        return Probe.placed(
            electrodes=self,
            sites=sites,
            cells=cells,
            neighbours=others,
            members=members,
            deviation=deviation,
            direction=direction / np.linalg.norm(direction),
        )

    def _aimed(self, anatomy: xr.Dataset) -> np.ndarray:
        """(neuron,) whether it lies in the regions and depths that the sites are lowered into."""
        region, z = anatomy["region"].values.astype(str), anatomy["z"].values
        low, high = (-np.inf, np.inf) if self.depth is None else self.depth
        inside = (z >= low) & (z <= high)
        if self.regions:
            inside &= np.isin(region, self.regions)
        require(
            bool(inside.any()),
            f"electrodes: some neuron must lie in regions {self.regions or 'of any name'} and depth {self.depth}, but "
            f"the anatomy has {', '.join(sorted(set(region)))} from {z.min():.3g} to {z.max():.3g} m: aim there",
        )
        return inside

    def _neighbours(
        self, sites: np.ndarray, place: np.ndarray, deviation: float, rng: np.random.Generator
    ) -> Neighbours:
        """The neurons that are not simulated and may be heard."""
        if self.tissue_density is None:
            return Neighbours.none()
        reach = Fall(self.amplitude, self.decay, self.threshold).reach(max(self.threshold - HEARD, 0.5) * deviation)
        return neighbours_of(sites, place, reach, self.tissue_density, self.tissue_rate, rng)
