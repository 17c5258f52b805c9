"""A new modality is one instrument file: here, with no word about it in simlab, voltage imaging and a blood signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import xarray as xr
from instrument_bench import poisson_activity, shown, tissue

import simlab
from simlab import data
from simlab.checks.check import check
from simlab.contracts import Instrument
from simlab.exchange import arrays, neo, nwb, pynapple, zarr_store
from simlab.execution.strict.seal import seal, unseal
from simlab.instruments.placement import make_key, positions, unit_table, unit_variables

SAMPLING = 500.0  # Hz


@dataclass(frozen=True)
class VoltageImaging:
    """Membrane voltage [mV] of some neurons: a jump at each of their spikes, and noise."""

    name: ClassVar[str] = "voltage_imaging"
    n_units: int = 5
    modality: str = "voltage"
    units_of_signal: str = "mV"

    def implant(self, anatomy: xr.Dataset, rng: np.random.Generator) -> Camera:
        chosen = rng.permutation(anatomy.sizes["neuron"])[: self.n_units]
        key = np.zeros((len(chosen), anatomy.sizes["neuron"]))
        key[np.arange(len(chosen)), chosen] = 1.0
        return Camera(self, chosen, make_key(key), unit_table(positions(anatomy)[chosen]))


@dataclass(frozen=True, eq=False)
class Camera:
    instrument: VoltageImaging
    chosen: np.ndarray
    key: xr.DataArray
    units: xr.Dataset

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        counts = data.bin_spikes(activity, 1 / SAMPLING)
        voltage = (
            -65.0 + 80.0 * counts.values[:, :, self.chosen] + rng.normal(size=(*counts.shape[:2], len(self.chosen)))
        )
        return data.recording(
            duration=activity.attrs["duration"],
            n_units=len(self.chosen),
            n_trials=activity.sizes["trial"],
            like=activity,
            signal=voltage,
            modality=self.instrument.modality,
            signal_units=self.instrument.units_of_signal,
            sample_time=counts["time"].values,
            **unit_variables(self.units),
        )


INSTRUMENTS = [VoltageImaging(), VoltageImaging(3, "haemodynamics", "umol/l")]


def seen(instrument):
    implant = instrument.implant(tissue(12), np.random.default_rng(0))
    return implant.record(poisson_activity(12, session=shown(3, 1.0)), np.random.default_rng(1))


def same(after, before):
    assert data.modality(after) == data.modality(before)
    assert after["signal"].attrs == before["signal"].attrs
    assert dict(after.sizes) == dict(before.sizes)
    np.testing.assert_allclose(data.continuous(after), data.continuous(before))
    np.testing.assert_allclose(data.continuous(after)["time"], data.continuous(before)["time"], atol=1e-9)


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda i: i.modality)
def test_it_is_an_instrument_that_passes_the_check(instrument):
    assert isinstance(instrument, Instrument)
    check(instrument)


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda i: i.modality)
def test_it_is_recorded_and_blinded(instrument):
    before = seen(instrument)
    order = np.arange(instrument.n_units)[::-1]
    blind = data.bare(before, order)
    np.testing.assert_array_equal(blind["signal"], before["signal"].values[:, :, ::-1])
    assert blind["signal"].attrs == {"modality": instrument.modality, "units": instrument.units_of_signal}
    assert data.missing(blind, simlab.contracts.Needs(modalities=(instrument.modality,))) == ""
    assert "needs spikes" in data.missing(blind, simlab.contracts.Needs(modalities=("spikes",)))


def through_npz(before, folder):
    arrays.to_npz(before, folder / "r.npz")
    return arrays.from_npz(folder / "r.npz")


def through_zarr(before, folder):
    zarr_store.to_zarr(before, folder / "r.zarr")
    return zarr_store.from_zarr(folder / "r.zarr")


def through_nwb(before, folder):
    nwb.write_nwb(before, folder / "r.nwb")
    return nwb.read_nwb(folder / "r.nwb")


THROUGH = {
    "seal": lambda before, folder: unseal(seal(before, folder / "r")),
    "arrays": lambda before, folder: arrays.from_dict(arrays.to_dict(before)),
    "npz": through_npz,
    "zarr": through_zarr,
    "nwb": through_nwb,
    "neo": lambda before, folder: neo.from_neo(neo.to_neo(before)),
    "pynapple": lambda before, folder: pynapple.from_pynapple(pynapple.to_pynapple(before)),
}


@pytest.mark.parametrize("way", THROUGH)
@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda i: i.modality)
def test_it_passes_through_every_format(instrument, way, tmp_path):
    before = seen(instrument)
    same(THROUGH[way](before, tmp_path), before)
