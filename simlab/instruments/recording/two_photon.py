"""Two-photon calcium imaging: slow, saturating, scattered, shared with the neuropil, noisy and bleaching."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Needs
from simlab.data import recording
from simlab.instruments.placement import (
    check_same_subject,
    check_spikes,
    make_key,
    positions,
    require,
    unit_table,
    unit_variables,
)
from simlab.instruments.recording.calcium import Frames, mixed
from simlab.instruments.recording.indicators import INDICATORS, Indicator
from simlab.instruments.recording.unseen_cells import Neuropil, UnresolvedCells, neuropil_of, unresolved_around
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count, Density, Distance, Rate, Share

NOISE_LEVEL_TO_DEVIATION = 1 / (100 * np.sqrt(2) * 0.6745)
"""A noise level [% / sqrt(Hz)] is the median |step| of a trace [%] over sqrt(frame rate) (Rupprecht et al. 2021);
for white noise of standard deviation s that median is 0.6745 sqrt(2) s."""


@dataclass(frozen=True)
class TwoPhoton:
    """Fluorescence (dF/F) of imaged neurons, one unit each.

    A unit's signal, f_j being the dF/F of neuron j and d the distances between neurons:

        F_i = f_i + neuropil sum_j w_ij f_j + scattering_strength sum_(j != i) exp(-(d_ij / scattering_length)^2) f_j

    with w_ij going as exp(-d_ij^2 / (2 neuropil_radius^2)) and summing to 1; the last term is that of Stetter et al.
    (2012). With a `tissue_density`, the neurons that the circuit does not simulate take their share of the neuropil,
    and some of them, above or below a unit's soma, are not told from it.

    Trials are laid end to end as on a microscope that keeps scanning: calcium left over from one trial decays into
    the next. The first starts at the recording's mean level, so that no trace begins with an artificial onset.
    dF/F is relative to the momentary (bleached) baseline, as pipelines that track it report; what bleaching costs
    is photons, so noise grows in the course of a session. Needs spikes.
    """

    name: ClassVar[str] = "two_photon"
    needs: ClassVar[Needs] = Needs(("spikes",))

    indicator: str | Indicator = "gcamp6f"
    """A name from `INDICATORS`, or an indicator of your own."""

    n_units: Count | None = None
    """How many neurons are imaged, drawn at random [1]; None is all of them."""

    frame_rate: Annotated[float, Within(0.01, 10_000, "Hz")] = 30.0
    """Frames per second [Hz]: resonant scanning of 512 lines."""

    noise_level: Annotated[float, Within(0, 1000)] = 2.0
    """Standardised shot noise [% / sqrt(Hz)]: 1 to 8 in population imaging (measure: Rupprecht et al. 2021)."""

    neuropil: Annotated[float, Within(0, 100)] = 0.2
    """Neuropil signal per signal of the cell, left over after subtraction [1]: 0.7 before it (Chen et al. 2013, from
    memory), of which the usual fixed coefficient takes about two thirds away (assumed)."""

    neuropil_radius: Distance = 50e-6
    """Standard deviation of the distance from which a cell's neuropil is drawn [m] (assumed: dendritic arbours)."""

    bleaching: Annotated[float, Within(0, inf, "s", excluding=(0,))] = 3600.0
    """Time in which the baseline falls to 1/e by bleaching [s] (assumed); infinity for none."""

    scattering_strength: Annotated[float, Within(0, 10)] = 0.0
    """What a cell at no distance would add of its own signal [1]: .15 in Stetter et al. 2012 (from memory)."""

    scattering_length: Distance = 150e-6
    """Distance at which scattered light falls to 1/e [m]: 150 um in Stetter et al. 2012 (from memory), for cultures of
    1 mm; .03 of the field's edge in the ChaLearn challenge (Orlandi et al. 2015)."""

    tissue_density: Density | None = None
    """Neurons per volume of tissue [1/m^3]: 9e13, that is 90,000 per mm^3, in mouse cortex (Schuez & Palm 1989, from
    memory). None: there are no neurons but the circuit's, a fortieth of that in most circuits."""

    tissue_rate: Rate = 1.0
    """Mean rate of the neurons that are not simulated [Hz]: most cortical neurons fire below 1 Hz (O'Connor et al.
    2010; Barth & Poulet 2012; from memory)."""

    tissue_correlation: Share = 0.05
    """Correlation of any two of them [1]: spike counts correlate by 0 to .2 (Cohen & Kohn 2011, from memory). Without
    any, hundreds of cells average out and their neuropil hardly moves."""

    axial_spread: Distance = 6e-6
    """Standard deviation over depth of what a soma's region of interest collects [m] (assumed: 3 um of two-photon
    excitation, widened by a soma of 12 um)."""

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            isinstance(self.indicator, Indicator) or self.indicator in INDICATORS,
            f"two_photon: indicator must be one of {', '.join(INDICATORS)} or an Indicator, got {self.indicator!r}",
        )

    @property
    def protein(self) -> Indicator:
        """The indicator itself."""
        return self.indicator if isinstance(self.indicator, Indicator) else INDICATORS[self.indicator]

    def implant(self, anatomy: xr.Dataset, rng: np.random.Generator) -> FieldOfView:
        """Chooses the imaged neurons; neuropil and scattered light come from all around them, imaged or not."""
        n_neurons = anatomy.sizes["neuron"]
        n_units = n_neurons if self.n_units is None else self.n_units
        require(
            n_units <= n_neurons,
            f"two_photon: n_units must be at most the subject's {n_neurons} neurons, got {n_units}: "
            f"ask for {n_neurons} or fewer, or for a larger circuit",
        )
        place = positions(anatomy)
        chosen = rng.permutation(n_neurons)[:n_units] if self.n_units else np.arange(n_neurons)
        neuropil, unresolved, nobody = None, None, np.zeros(n_units)
        if self.tissue_density is not None:
            neuropil = neuropil_of(place, chosen, self.neuropil_radius, self.tissue_density, self.tissue_correlation)
            unresolved = unresolved_around(n_units, self.axial_spread, self.tissue_density, self.tissue_rate, rng)
            nobody = self.neuropil * neuropil.share + unresolved.totals()
        mixing = self._mixing(place, chosen, neuropil)
        key = make_key(mixing / (mixing.sum(axis=1) + nobody)[:, None])
        return FieldOfView(self, mixing, key, unit_table(place[chosen]), neuropil, unresolved)

    def _mixing(self, place: np.ndarray, chosen: np.ndarray, neuropil: Neuropil | None) -> np.ndarray:
        """(unit, neuron) what each neuron's dF/F adds to each unit's."""
        own = np.zeros((len(chosen), len(place)))
        own[np.arange(len(chosen)), chosen] = 1.0
        surround = _surround(place, chosen, self.neuropil_radius)
        if neuropil is not None:
            surround *= 1 - neuropil.share[:, None]
        squared = ((place[chosen, None, :] - place[None, :, :]) ** 2).sum(axis=2) / self.scattering_length**2
        scattered = np.where(own > 0, 0.0, np.exp(-squared))
        return own + self.neuropil * surround + self.scattering_strength * scattered


def _surround(place: np.ndarray, chosen: np.ndarray, radius: float) -> np.ndarray:
    """(unit, neuron) weights of the neuropil of each imaged neuron; rows sum to 1, or to 0 for a lone neuron."""
    squared = ((place[chosen, None, :] - place[None, :, :]) ** 2).sum(axis=2) / (2 * radius**2)
    squared[np.arange(len(chosen)), chosen] = np.inf
    nearest = np.where(np.isfinite(squared), squared, 0).min(axis=1, keepdims=True)
    weight = np.exp(nearest - squared)
    total = weight.sum(axis=1, keepdims=True)
    return np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)


@dataclass(frozen=True, eq=False)
class FieldOfView:
    """Two-photon imaging placed in one subject."""

    microscope: TwoPhoton
    mixing: np.ndarray  # (unit, neuron) what each neuron's dF/F adds to the unit's
    key: xr.DataArray  # (unit, neuron)
    units: xr.Dataset  # unit_x, unit_y, unit_z [m] over unit
    neuropil: Neuropil | None = None  # of neurons that are not simulated
    unresolved: UnresolvedCells | None = None

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """dF/F as the signal (trial, sample, unit), sampled mid-frame. Raises SimlabError without spikes."""
        check_same_subject(self.key, activity)
        check_spikes("two_photon needs", activity)
        scope = self.microscope
        frames = Frames(scope.frame_rate, activity.sizes["trial"], float(activity.attrs["duration"]))
        require(
            frames.n_frames >= 1,
            f"two_photon: a trial must hold at least one frame, got {frames.duration} s at {scope.frame_rate} Hz: "
            "record longer trials or raise frame_rate",
        )
        spikes = activity["spike_trial"].values, activity["spike_time"].values, activity["spike_neuron"].values
        signal = mixed(spikes, self.mixing, scope.protein, frames) + self._of_unseen_cells(frames, rng)
        return recording(
            duration=frames.duration,
            n_units=self.mixing.shape[0],
            n_trials=frames.n_trials,
            like=activity,
            signal=self._with_noise(signal, frames, rng),
            modality="fluorescence",
            signal_units="dF/F",
            sample_time=frames.time,
            **unit_variables(self.units),
        )

    def _of_unseen_cells(self, frames: Frames, rng: np.random.Generator) -> np.ndarray:
        """What neurons that are not simulated add (trial, frame, unit)."""
        scope = self.microscope
        if self.neuropil is None or self.unresolved is None:
            return np.zeros((), dtype=np.float32)
        around = self.neuropil.fluorescence(scope.protein, frames, scope.tissue_rate, rng)
        return np.float32(scope.neuropil) * around + self.unresolved.fluorescence(scope.protein, frames, rng)

    def _with_noise(self, signal: np.ndarray, frames: Frames, rng: np.random.Generator) -> np.ndarray:
        """Adds shot noise to dF/F (trial, frame, unit).

        Photon counts are Poisson, here in their Gaussian limit: the variance goes with brightness, and relative
        to the baseline inversely with how much of that is left.
        """
        scope = self.microscope
        deviation = scope.noise_level * np.sqrt(scope.frame_rate) * NOISE_LEVEL_TO_DEVIATION
        elapsed = np.arange(frames.n_trials)[:, None] * frames.duration + frames.time
        left = np.exp(-elapsed / scope.bleaching)[:, :, None]
        noise = rng.standard_normal(signal.shape, dtype=np.float32)
        scale = np.sqrt(np.maximum(1 + signal, 0) / left.astype(np.float32))
        return signal + np.float32(deviation) * scale * noise
