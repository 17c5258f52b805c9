"""Local field potentials: one electrode in the middle of each region, which hears many neurons' currents at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Needs
from simlab.data import recording
from simlab.instruments.placement import (
    check_same_subject,
    make_key,
    positions,
    require,
    unit_table,
    unit_variables,
)
from simlab.instruments.recording.bold import named_regions, regional
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Distance, SynapticTimeConstant

KERNEL_SPAN = 8
"""Decay times over which a spike's contribution is followed, when less than .1% of it is left."""


@dataclass(frozen=True)
class FieldPotential:
    """The low-frequency extracellular potential of each region [V], one unit per region.

        v_u(t) = scale sum_r m_ur (rate_r * k)(t) + noise,   k(t) ~ exp(-t / decay) - exp(-t / rise),  area 1

    rate_r: the summed spikes of a region's neurons, per neuron [Hz]; synaptic currents that follow spikes give the
    potential its time course (Mazzoni et al. 2015, PLoS Comput Biol 11:e1004584, take the sum of synaptic currents).
    m_ur falls with the distance of the electrode u from the region r as exp(-distance / reach), rows of sum 1: volume
    conduction. The mean is taken off, as amplifiers do. White noise is the amplifier's. Gates and areas have no
    synaptic currents; there the kernel is what an electrode of this bandwidth would make of their switching.
    """

    name: ClassVar[str] = "field_potential"
    needs: ClassVar[Needs] = Needs(("rate", "spikes"))

    sampling_rate: Annotated[float, Within(10, 50_000, "Hz")] = 1000.0
    rise: SynapticTimeConstant = 1e-3
    decay: SynapticTimeConstant = 10e-3
    reach: Distance = 250e-6  # Katzner et al. 2009, Neuron 61:35: within 250 um
    scale: Annotated[float, Within(0, 1.0, "V/Hz")] = 10e-6  # per Hz of a region's mean rate (assumed: .1 mV at 10 Hz)
    noise: Annotated[float, Within(0, 1.0, "V")] = 5e-6  # of an amplifier (from memory)

    def __post_init__(self) -> None:
        check_fields(self)
        require(self.rise < self.decay, f"rise must be < decay, got {self.rise} and {self.decay} s: name them so")

    def implant(self, anatomy: xr.Dataset, rng: np.random.Generator) -> Electrodes:
        """An electrode in the middle of each region; nothing is drawn."""
        region = named_regions(anatomy)
        members = np.eye(int(region.max(initial=-1)) + 1)[region].T
        members = members / members.sum(axis=1, keepdims=True)
        centre = members @ positions(anatomy)
        apart = np.linalg.norm(centre[:, None] - centre[None], axis=2)
        mixing = np.exp(-apart / self.reach)
        mixing = mixing / mixing.sum(axis=1, keepdims=True)
        return Electrodes(self, members, mixing, make_key(mixing @ members), unit_table(centre))


@dataclass(frozen=True, eq=False)
class Electrodes:
    """Electrodes in one subject."""

    instrument: FieldPotential
    members: np.ndarray  # (region, neuron), rows of sum 1
    mixing: np.ndarray  # (unit, region), rows of sum 1
    key: xr.DataArray  # (unit, neuron)
    units: xr.Dataset  # unit_x, unit_y, unit_z [m] over unit: the regions' centres

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """Potentials (trial, sample, unit) [V], modality `field potential`."""
        check_same_subject(self.key, activity)
        of, duration = self.instrument, float(activity.attrs["duration"])
        n_samples = max(1, round(duration * of.sampling_rate))
        rate = regional(activity, self.members, n_samples)
        signal = of.scale * _filtered(rate, self.kernel(duration / n_samples)) @ self.mixing.T
        signal = signal - signal.mean(axis=(0, 1))
        return recording(
            duration=duration,
            n_units=len(self.mixing),
            n_trials=activity.sizes["trial"],
            like=activity,
            signal=signal + of.noise * rng.standard_normal(signal.shape),
            modality="field potential",
            signal_units="V",
            sample_time=(np.arange(n_samples) + 1) * duration / n_samples,
            **unit_variables(self.units),
        )

    def kernel(self, step: float) -> np.ndarray:
        """(lag,) what a rate of 1 adds to the potential after each step [s]; sums to 1."""
        edges = np.arange(int(np.ceil(KERNEL_SPAN * self.instrument.decay / step)) + 1) * step
        decay, rise = self.instrument.decay, self.instrument.rise
        left = decay * np.exp(-edges / decay) - rise * np.exp(-edges / rise)  # the integral from there on
        kernel = -np.diff(left)
        return kernel / kernel.sum()


def _filtered(rate: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Rates (trial, step, region) through a causal kernel (lag,), each trial by itself, at rest before it began."""
    from scipy.signal import fftconvolve

    return np.asarray(fftconvolve(rate, kernel[None, :, None], axes=1)[:, : rate.shape[1]])
