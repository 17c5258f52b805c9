"""Functional magnetic resonance imaging: regions seen by their blood, once in a few seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from simlab.contracts import Needs
from simlab.data import continuous, is_spiking, recording
from simlab.instruments.placement import (
    check_same_subject,
    make_key,
    positions,
    require,
    unit_table,
    unit_variables,
)
from simlab.instruments.recording.haemodynamics import MODELS, PEAK, STEP, STRONGEST
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count, Share

FASTEST = 0.6
"""Least time to peak, over the mean one, that a region's response may have: normal numbers have no end."""

REFERENCE = {"spikes": 10.0, "rate": 1.0}
"""Activity per neuron that drives vessels as much as an activity of 1 in a dynamic causal model: Hz of spikes (assumed:
vigorous firing of a cortical column), and 1 of rates without a unit."""


@dataclass(frozen=True)
class Bold:
    """The blood-oxygen-level-dependent signal of regions of interest [% of each one's mean], one unit each.

    The activity of a region is the mean over its neurons; it drives the region's vessels, whose response differs in
    speed from region to region. Trials are laid end to end while the scanner runs on: blood still follows one trial
    while the next begins, and the first starts where the mean activity would have kept it. Volumes are taken in the
    middle of each repetition; a trial that is shorter than one has a single volume, in its middle. Thermal noise is
    white; there is neither drift, heartbeat nor movement. Defaults: the baseline simulation of Smith et al. 2011
    (NeuroImage 54:875), from memory.
    """

    name: ClassVar[str] = "bold"
    needs: ClassVar[Needs] = Needs(("rate", "spikes"))

    haemodynamics: Literal["balloon", "canonical"] = "balloon"
    """The balloon model (nonlinear), or the canonical response (linear)."""

    repetition_time: Annotated[float, Within(0.05, 60, "s")] = 3.0
    """Between volumes [s] (Smith et al. 2011: 3 s, and .25 s)."""

    noise: Annotated[float, Within(0, 0.2)] = 0.01
    """Standard deviation of the thermal noise over the mean signal [1] (Smith et al. 2011: .1 to 1%)."""

    delay_spread: Annotated[float, Within(0, 5, "s")] = 0.5
    """Standard deviation over regions of the response's time to peak [s] (Smith et al. 2011)."""

    mixing: Share = 0.0
    """Share of each region's signal that is the nearest other region's [1]: regions of interest that do not match the
    functional ones (Smith et al. 2011: .2, of a region drawn at random)."""

    n_parcels: Count | None = None
    """Parcels into which the neurons are divided by place, each neuron to the nearest of so many drawn at random [1];
    None: one region for each that the subject's anatomy names."""

    reference: Annotated[float, Within(1e-6, 1e6)] | None = None
    """Activity of a region, in its own unit, that drives vessels as 1 does in a dynamic causal model; None: 10 Hz of
    spikes, 1 of rates."""

    def __post_init__(self) -> None:
        check_fields(self)

    def implant(self, anatomy: xr.Dataset, rng: np.random.Generator) -> Scanner:
        """Names the regions; draws how fast the vessels of each respond."""
        place, vessels = positions(anatomy), rng.spawn(1)[0]
        region = named_regions(anatomy) if self.n_parcels is None else _parcels(place, self.n_parcels, rng)
        members = np.equal.outer(np.arange(region.max() + 1), region).astype(float)
        members /= members.sum(axis=1, keepdims=True)
        centre = members @ place
        mean = PEAK[self.haemodynamics]
        peak = mean + self.delay_spread * vessels.standard_normal(len(members))
        speed = mean / np.maximum(peak, FASTEST * mean)
        mixing = _mixing(centre, self.mixing)
        return Scanner(self, members, mixing, speed, make_key(mixing @ members), unit_table(centre))


def _parcels(place: np.ndarray, n_parcels: int, rng: np.random.Generator) -> np.ndarray:
    """The parcel of each neuron (neuron,), of places (neuron, 3) [m]."""
    require(
        n_parcels <= len(place),
        f"bold: n_parcels must be at most the subject's {len(place)} neurons, got {n_parcels}: "
        f"ask for {len(place)} or fewer, or for a larger circuit",
    )
    centre = rng.permutation(len(place))[:n_parcels]
    distance = ((place[:, None, :] - place[centre][None, :, :]) ** 2).sum(axis=2)
    distance[centre, np.arange(n_parcels)] = -1.0  # its own, even where two neurons lie in one place
    return distance.argmin(axis=1)


def named_regions(anatomy: xr.Dataset) -> np.ndarray:
    """The region of each neuron (neuron,), numbered in the order in which they are met."""
    number: dict[str, int] = {}
    return np.array([number.setdefault(str(name), len(number)) for name in anatomy["region"].values])


def _mixing(centre: np.ndarray, share: float) -> np.ndarray:
    """(unit, region): each region's own signal and `share` of the nearest other one's."""
    n = len(centre)
    if n < 2 or share == 0:
        return np.eye(n)
    distance = ((centre[:, None, :] - centre[None, :, :]) ** 2).sum(axis=2)
    np.fill_diagonal(distance, np.inf)
    found = (1 - share) * np.eye(n)
    found[np.arange(n), distance.argmin(axis=1)] += share
    return found


@dataclass(frozen=True, eq=False)
class Scanner:
    """A scanner around one subject."""

    instrument: Bold
    members: np.ndarray  # (region, neuron), rows of sum 1
    mixing: np.ndarray  # (unit, region), rows of sum 1
    speed: np.ndarray  # (region,) what divides all of a region's haemodynamic time constants
    key: xr.DataArray  # (unit, neuron)
    units: xr.Dataset  # unit_x, unit_y, unit_z [m] over unit: the regions' centres

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """Percent signal change (trial, sample, unit), modality `haemodynamics`."""
        check_same_subject(self.key, activity)
        duration, n_trials = float(activity.attrs["duration"]), activity.sizes["trial"]
        every = min(self.instrument.repetition_time, duration)
        volumes = (np.arange(int(duration / every + 1e-6)) + 0.5) * every
        signal = self._signal(activity, volumes)
        signal = 100 * (signal - signal.mean(axis=(0, 1)))
        return recording(
            duration=duration,
            n_units=len(self.mixing),
            n_trials=n_trials,
            like=activity,
            signal=signal + 100 * self.instrument.noise * rng.standard_normal(signal.shape),
            modality="haemodynamics",
            signal_units="%",
            sample_time=volumes,
            **unit_variables(self.units),
        )

    def _signal(self, activity: xr.Dataset, volumes: np.ndarray) -> np.ndarray:
        """Fractional change (trial, volume, unit) at `volumes` [s] of each trial, without noise."""
        duration, n_trials = float(activity.attrs["duration"]), activity.sizes["trial"]
        n_steps = max(1, round(duration / STEP))
        step = duration / n_steps
        neural = regional(activity, self.members, n_steps) / self._reference(activity)
        require(
            neural.max(initial=0.0) <= STRONGEST,
            f"bold: activity must stay within {STRONGEST:g} times the reference of {self._reference(activity):g}, got "
            f"{neural.max(initial=0.0):.3g} times: give the activity of a busy region as reference",
        )
        model = MODELS[self.instrument.haemodynamics]
        fine = model(neural.reshape(-1, len(self.members)), step, self.speed).reshape(n_trials, n_steps, -1)
        before = np.minimum((volumes / step).astype(int), n_steps - 1)
        after = np.minimum(before + 1, n_steps - 1)
        part = np.clip(volumes / step - before, 0, 1)[:, None]
        return ((1 - part) * fine[:, before] + part * fine[:, after]) @ self.mixing.T

    def _reference(self, activity: xr.Dataset) -> float:
        if self.instrument.reference is not None:
            return self.instrument.reference
        return REFERENCE["spikes" if is_spiking(activity) else "rate"]


def regional(activity: xr.Dataset, members: np.ndarray, n_steps: int) -> np.ndarray:
    """Mean activity (trial, step, region) of the regions' neurons in `n_steps` equal parts of each trial: Hz of spikes
    where there are any, else the rate in its own unit. members: (region, neuron), rows of sum 1."""
    duration, n_trials = float(activity.attrs["duration"]), activity.sizes["trial"]
    if is_spiking(activity):
        step = np.minimum((activity["spike_time"].values / duration * n_steps).astype(int), n_steps - 1)
        found = np.zeros((n_trials, n_steps, len(members)))
        share = members[:, activity["spike_neuron"].values]
        for k in range(len(members)):
            mine = np.flatnonzero(share[k])
            where = (activity["spike_trial"].values[mine], step[mine], np.full(len(mine), k))
            np.add.at(found, where, share[k, mine] * n_steps / duration)
        return found
    rate = continuous(activity)
    return _averaged(rate.values @ members.T.astype(rate.dtype), rate["time"].values, duration, n_steps)


def _averaged(rate: np.ndarray, time: np.ndarray, duration: float, n_steps: int) -> np.ndarray:
    """Means (trial, step, region) of samples (trial, time, region) that each hold from their time on, exactly."""
    held = np.diff(np.append(time, duration))
    total = np.concatenate([np.zeros_like(rate[:, :1], dtype=float), (rate * held[:, None]).cumsum(axis=1)], axis=1)
    edges = np.linspace(0, duration, n_steps + 1)
    knot = np.append(time, duration)
    left = np.clip(np.searchsorted(knot, edges, side="right") - 1, 0, len(time) - 1)
    part = np.clip((edges - knot[left]) / held[left], 0, 1)[:, None]
    at_edges = (1 - part) * total[:, left] + part * total[:, left + 1]
    return np.diff(at_edges, axis=1) * n_steps / duration
