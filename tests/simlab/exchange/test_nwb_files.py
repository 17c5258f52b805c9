"""Our NWB files as other readers see them: the same bytes, right rates, gaps, electrodes and imaging planes."""

import os
import subprocess
import sys

import numpy as np
import pynapple as nap
import pytest
from instrument_bench import poisson_activity, tissue
from pynwb import NWBHDF5IO

from simlab.data import bare, mean_rates
from simlab.data import recording as make_recording
from simlab.exchange.nwb import read_nwb, write_nwb
from simlab.instruments.recording.electrodes import Electrodes
from simlab.instruments.recording.two_photon import TwoPhoton

N, TRIALS, DURATION = 12, 4, 1.25


def seen_by(instrument, seed=2):
    activity = poisson_activity(N, trials=TRIALS, duration=DURATION, rate=8.0)
    return instrument.implant(tissue(N), np.random.default_rng(1)).record(activity, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """`sorted.nwb` and `imaged.nwb`, whose trials were simulated apart."""
    folder = tmp_path_factory.mktemp("nwb")
    write_nwb(seen_by(Electrodes()), folder / "sorted.nwb")
    write_nwb(seen_by(TwoPhoton()), folder / "imaged.nwb", indicator="gcamp6f")
    return folder


@pytest.fixture(scope="module")
def opened(folder):
    """The two files, open, through plain pynwb."""
    with NWBHDF5IO(folder / "sorted.nwb", mode="r") as one, NWBHDF5IO(folder / "imaged.nwb", mode="r") as other:
        yield one.read(), other.read()


@pytest.mark.parametrize(("name", "instrument"), [("sorted", Electrodes()), ("imaged", TwoPhoton())])
def test_the_same_recording_gives_the_same_bytes_and_another_one_others(name, instrument, folder, tmp_path):
    write_nwb(seen_by(instrument), tmp_path / "again.nwb", indicator="gcamp6f" if name == "imaged" else "unknown")
    assert (tmp_path / "again.nwb").read_bytes() == (folder / f"{name}.nwb").read_bytes()
    write_nwb(seen_by(instrument, seed=3), tmp_path / "other.nwb")
    identifiers = set()
    for path in (folder / f"{name}.nwb", tmp_path / "other.nwb"):
        with NWBHDF5IO(path, mode="r") as io:
            identifiers.add(io.read().identifier)
    assert len(identifiers) == 2


SCRIPT = """
import sys, numpy as np
from simlab.data import from_arrays
from simlab.exchange.nwb import write_nwb
rng = np.random.default_rng(0)
recording = from_arrays(rng.uniform(0, 1, 50), rng.integers(0, 3, 50), trials=rng.integers(0, 2, 50), duration=1.0)
write_nwb(recording.assign_attrs(brief={"candidates": ("a", "b"), "c": 1.0}), sys.argv[1])
"""


def test_a_file_of_another_process_is_of_the_same_bytes(tmp_path, monkeypatch):
    """Python orders sets by another hash in every process."""
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "there")]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "1"})
    monkeypatch.setattr(sys, "argv", ["", str(tmp_path / "here")])
    exec(SCRIPT, {})
    assert (tmp_path / "here").read_bytes() == (tmp_path / "there").read_bytes()


def test_rates_over_the_observed_intervals_are_the_recordings(opened):
    units = opened[0].units
    observed = [np.asarray(units["obs_intervals"][u]) for u in range(len(units))]
    assert all(len(intervals) == TRIALS for intervals in observed)
    rates = [len(units["spike_times"][u]) / np.diff(held).sum() for u, held in enumerate(observed)]
    np.testing.assert_allclose(rates, mean_rates(seen_by(Electrodes())))


def test_what_lies_between_trials_is_told_to_be_invalid(opened):
    for file in opened:
        gaps, trials = file.invalid_times.to_dataframe(), file.trials.to_dataframe()
        assert gaps["start_time"].tolist() == trials["stop_time"].tolist()[:-1]
        assert gaps["stop_time"].tolist() == trials["start_time"].tolist()[1:]
        assert (gaps["stop_time"] > gaps["start_time"]).all()


def test_pynapple_finds_the_right_rates_within_trials(folder):
    file = nap.load_file(str(folder / "sorted.nwb"))
    units = file["units"].restrict(file["trials"])
    np.testing.assert_allclose(units["rate"], mean_rates(seen_by(Electrodes())), rtol=1e-6)


def test_fluorescence_has_times_of_its_own_and_no_sample_in_a_gap(folder, opened):
    series = opened[1].processing["ophys"]["DfOverF"]["RoiResponseSeries"]
    assert series.rate is None
    gaps = opened[1].invalid_times.to_dataframe()
    times = series.timestamps[:]
    assert not any(((times > a) & (times < b)).any() for a, b in gaps[["start_time", "stop_time"]].values)
    assert len(times) == TRIALS * seen_by(TwoPhoton()).sizes["sample"]
    file = nap.load_file(str(folder / "imaged.nwb"))
    within = file["RoiResponseSeries"].restrict(file["trials"])
    assert within.shape == (len(times), N)
    np.testing.assert_allclose(within.values, seen_by(TwoPhoton())["signal"].values.reshape(-1, N))


def test_samples_that_happen_to_be_evenly_spaced_across_gaps_are_no_continuous_series(tmp_path):
    """One sample in each trial of 3 s, which stand 1 s apart: one every 4 s."""
    before = make_recording(
        duration=3.0, n_units=2, n_trials=3, signal=np.arange(6.0).reshape(3, 1, 2), modality="fluorescence",
        signal_units="dF/F", sample_time=[1.0],
    )  # fmt: skip
    write_nwb(before, tmp_path / "x.nwb")
    with NWBHDF5IO(tmp_path / "x.nwb", mode="r") as io:
        series = io.read().processing["ophys"]["DfOverF"]["RoiResponseSeries"]
        assert series.rate is None
        assert series.timestamps[:].tolist() == [1.0, 5.0, 9.0]
    np.testing.assert_array_equal(read_nwb(tmp_path / "x.nwb")["signal"], before["signal"])


def test_sorted_units_refer_to_the_electrode_at_which_they_were_sorted(opened):
    file, recording = opened[0], bare(seen_by(Electrodes()))
    assert len(file.electrodes) == Electrodes().n_sites == recording.sizes["channel"]
    assert [group.device.name for group in file.electrodes["group"][:]] == ["probe"] * Electrodes().n_sites
    for unit in range(len(file.units)):
        row = file.units["electrodes"][unit]
        place = row[["x", "y", "z"]].values[0] * 1e-6
        np.testing.assert_allclose(place, [recording[f"unit_{axis}"].values[unit] for axis in "xyz"])


def test_units_that_lie_at_no_channel_refer_to_none(tmp_path):
    spike = (np.array([0]), np.array([0.5]), np.array([0]))
    apart = make_recording(duration=1.0, n_units=1, n_trials=1, spikes=spike, unit_x=[0.0], channel_x=[0.0, 1e-5])
    write_nwb(apart, tmp_path / "at.nwb")
    write_nwb(apart.assign(unit_x=("unit", [4e-6])), tmp_path / "between.nwb")
    for name, there in (("at", True), ("between", False)):
        with NWBHDF5IO(tmp_path / f"{name}.nwb", mode="r") as io:
            file = io.read()
            assert ("electrodes" in file.units.colnames) == there
            assert len(file.electrodes) == 2


def test_imaged_units_are_regions_of_a_plane_with_its_optics(opened):
    rois = opened[1].processing["ophys"]["ImageSegmentation"]["PlaneSegmentation"]
    plane = rois.imaging_plane
    assert (plane.device.name, plane.indicator, len(plane.optical_channel)) == ("microscope", "gcamp6f", 1)
    assert plane.imaging_rate == pytest.approx(TwoPhoton().frame_rate)
    assert plane.grid_spacing[:].tolist() == [1e-6, 1e-6]
    recording = seen_by(TwoPhoton())
    for axis in ("unit_x", "unit_y", "unit_z"):
        np.testing.assert_allclose(rois[axis][:], recording[axis])
    pixels = np.array([[mask[0]["x"], mask[0]["y"]] for mask in rois["pixel_mask"][:]])
    np.testing.assert_allclose(pixels, np.column_stack([recording["unit_x"], recording["unit_y"]]) * 1e6, atol=0.51)
