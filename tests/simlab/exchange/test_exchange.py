"""Recordings through every format and back."""

import warnings

import numpy as np
import pytest
import xarray as xr
from instrument_bench import poisson_activity, rates_only, shown, tissue

from simlab.contracts import SimlabError
from simlab.data import activity, bare
from simlab.data import recording as make_recording
from simlab.exchange import arrays, neo, nwb, pynapple, zarr_store
from simlab.instruments.recording.electrodes import Electrodes
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.two_photon import TwoPhoton
from simlab.session import Session

N = 12


def behaving(trials, duration):
    """Spikes, stimulus, conditions and two-factor behaviour."""
    session = shown(trials, duration)
    seen = poisson_activity(N, session=session)
    time = np.arange(0, duration, 0.1)
    walk = np.random.default_rng(3).normal(size=(trials, len(time), 2))
    spikes = tuple(seen[c].values for c in ("spike_trial", "spike_time", "spike_neuron"))
    return activity(session, N, spikes=spikes, time=time, behaviour=walk)


def record(instrument, seen):
    return instrument.implant(tissue(N), np.random.default_rng(1)).record(seen, np.random.default_rng(2))


def everything():
    """Unequal trials on a clock, a silent unit, labels, named conditions, stimuli, quality, channels, a brief."""
    rng = np.random.default_rng(4)
    duration, start = np.array([2.0, 2.5, 2.25]), np.array([0.5, 3.0, 5.5])  # the third begins as the second ends
    trial = rng.integers(0, 3, 80)
    time = np.arange(10) * 0.25
    shown = np.where((time < duration[:, None])[:, :, None], rng.normal(size=(3, 10, 2)), np.nan)
    sampled = np.arange(25) * 0.1
    potential = np.where((sampled < duration[:, None] - 1e-9)[:, :, None], rng.normal(size=(3, 25, 3)), np.nan)
    found = make_recording(
        duration=duration, n_units=4, n_trials=3, time=time, stimulus=shown, behaviour=shown[:, :, :1],
        spikes=(trial, rng.uniform(0, duration[trial] - 0.01), rng.integers(0, 3, 80)),
        signal=potential, modality="field potential", signal_units="V", over="channel", sample_time=sampled,
        condition=[1, 0, 1], outcome=[0.25, 1.0, 0.0], trial_start=start,
        unit_quality=[0.5, 1.0, 0.0, 0.9], unit_region=[1, 0, 0, 2],
        unit_x=[0.0, 1e-5, 2e-5, 3e-5], unit_y=np.zeros(4), unit_z=np.full(4, -1e-3),
        channel_x=[0.0, 2e-5, 4e-5], channel_y=np.zeros(3), channel_z=[1e-3, 2e-3, 3e-3],
    )  # fmt: skip
    return found.assign_coords(
        feature=["angle", "contrast"], factor=["speed"], unit_label=("unit", np.array(["c", "b", "mute", "a"], object)),
        channel_label=("channel", np.array(["E1", "E2", "E3"], object)),
    ).assign_attrs(
        brief={"candidates": ("ring", "chain"), "bound": np.inf}, conditions=("left", "right"), resolution=1e-4,
        unread=("the video",),
    )  # fmt: skip


def unequal_traces(modality, units):
    """A signal of units alone, in trials of unequal length without a clock."""
    duration, sampled = np.array([2.0, 1.5]), np.arange(20) * 0.1
    values = np.random.default_rng(6).normal(size=(2, 20, 3))
    values[1, 15:] = np.nan
    return make_recording(
        duration=duration, n_units=3, n_trials=2, signal=values, modality=modality, signal_units=units,
        sample_time=sampled, unit_x=[0.0, 1e-6, 2e-6], unit_quality=[0.1, 0.2, 0.3], unit_region=[0, 0, 1],
    ).assign_coords(unit_label=("unit", np.array(["x", "y", "z"], object)))  # fmt: skip


RECORDINGS = {
    "everything": everything,
    "unequal dF/F": lambda: unequal_traces("fluorescence", "dF/F"),
    "a modality that no format knows": lambda: unequal_traces("haemodynamics", "umol"),
    "spikes": lambda: record(Perfect(), behaving(3, 2.0)),
    "sorted units": lambda: record(Electrodes(), poisson_activity(N, trials=2, duration=3.0)),
    "fluorescence": lambda: record(TwoPhoton(), behaving(3, 2.0)),
    "one imaged trial": lambda: record(TwoPhoton(), poisson_activity(N, trials=1, duration=3.0)),
    "rates": lambda: record(Perfect(), rates_only(N, trials=3)),
    "a silent unit": lambda: record(Perfect(), poisson_activity(N, trials=2, duration=0.5, rate=0.5)),
}


def through_dict(recording, folder):
    return arrays.from_dict(arrays.to_dict(recording))


def through_npz(recording, folder):
    arrays.to_npz(recording, folder / "r.npz")
    return arrays.from_npz(folder / "r.npz")


def through_zarr(recording, folder):
    zarr_store.to_zarr(recording, folder / "r.zarr")
    return zarr_store.from_zarr(folder / "r.zarr")


def through_neo(recording, folder):
    return neo.from_neo(neo.to_neo(recording))


def through_pynapple(recording, folder):
    return pynapple.from_pynapple(pynapple.to_pynapple(recording))


def through_nwb(recording, folder):
    nwb.write_nwb(recording, folder / "r.nwb")
    return nwb.read_nwb(folder / "r.nwb")


# Formats that lay trials end to end give times back to the rounding of the session's clock; pynapple to 1 ns.
FORMATS = {
    through_dict: 0.0, through_npz: 0.0, through_zarr: 0.0,
    through_neo: 1e-12, through_nwb: 1e-9, through_pynapple: 2e-9,
}  # fmt: skip


@pytest.mark.parametrize("kind", RECORDINGS)
@pytest.mark.parametrize("through", FORMATS, ids=lambda f: f.__name__)
def test_a_recording_comes_back_as_it_went(through, kind, tmp_path):
    before = bare(RECORDINGS[kind](), labels=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # nothing of our own files is left unread
        after = through(before, tmp_path)
    assert set(after.data_vars) == set(before.data_vars)
    assert set(after.coords) == set(before.coords)
    assert dict(after.sizes) == dict(before.sizes)
    assert after.attrs["duration"] == pytest.approx(before.attrs["duration"], abs=1e-9)
    assert {**after.attrs, "duration": 0} == {**before.attrs, "duration": 0}
    if "signal" in before:
        assert after["signal"].dims == before["signal"].dims
        assert after["signal"].attrs == before["signal"].attrs
    for name, variable in before.variables.items():
        if variable.dtype.kind in "biuf":
            np.testing.assert_allclose(after[name].values, variable.values, rtol=1e-7, atol=FORMATS[through])
        else:
            assert list(after[name].values) == list(variable.values)


@pytest.mark.parametrize("through", FORMATS, ids=lambda f: f.__name__)
def test_what_a_question_tells_the_method_travels(through, tmp_path):
    brief = {"candidates": ("a", "b"), "model": {"weights": np.array([[0.1, np.nan]], dtype=np.float32)}}
    back = through(RECORDINGS["spikes"]().assign_attrs(brief=brief), tmp_path).attrs["brief"]
    assert back["candidates"] == ("a", "b")
    np.testing.assert_array_equal(back["model"]["weights"], brief["model"]["weights"])
    assert back["model"]["weights"].dtype == np.float32


def test_a_spike_at_the_very_end_of_a_trial_stays_in_its_trial(tmp_path):
    spikes = (np.array([0, 0, 1]), np.array([0.0, 2.0, 0.0]), np.array([0, 0, 1]))
    recording = record(Perfect(), activity(Session(2, 2.0), N, spikes=spikes))
    recording["spike_time"].values[1] = 2.0  # which is no tick of the lab's clock, but may stand in others' data
    for through in (through_nwb, through_pynapple, through_neo):
        after = through(recording, tmp_path)
        np.testing.assert_array_equal(after["spike_trial"], [0, 0, 1])
        np.testing.assert_allclose(after["spike_time"], [0.0, 2.0, 0.0])


@pytest.mark.parametrize("kind", RECORDINGS)
def test_nwbinspector_finds_nothing_above_suggestions(kind, tmp_path):
    from nwbinspector import Importance, inspect_nwbfile

    nwb.write_nwb(RECORDINGS[kind](), tmp_path / "r.nwb", indicator="GCaMP6f")
    found = list(inspect_nwbfile(tmp_path / "r.nwb"))
    assert [m.message for m in found if m.importance.value > Importance.BEST_PRACTICE_SUGGESTION.value] == []
    # Two suggestions are known: a trials table of one row, for a session of one trial; two conditions might be flags.
    assert {m.check_function_name for m in found} <= {"check_single_row", "check_column_binary_capability"}


def test_an_nwb_file_says_that_it_is_synthetic(tmp_path):
    from pynwb import NWBHDF5IO

    nwb.write_nwb(RECORDINGS["spikes"](), tmp_path / "r.nwb")
    with NWBHDF5IO(str(tmp_path / "r.nwb"), mode="r") as io:
        file = io.read()
        assert "Synthetic" in file.experiment_description
        assert "no animal" in file.subject.description
        assert file.subject.species == "Mus musculus"
        assert len(file.trials) == 3
        assert len(file.units) == N
        assert list(file.stimulus) == ["stimulus_0_angle", "stimulus_1_contrast"]


def test_anybodys_neo_block_reads_without_our_annotations():
    import neo as neo_library

    segments = [neo_library.Segment() for _ in range(2)]
    for k, segment in enumerate(segments):
        for times in ([10.1 + k], [10.2, 10.3]):
            segment.spiketrains.append(neo_library.SpikeTrain(times, units="s", t_start=10.0, t_stop=12.0))
    block = neo_library.Block()
    block.segments.extend(segments)
    recording = neo.from_neo(block)
    assert recording.attrs["duration"] == 2.0
    assert dict(recording.sizes) == {"trial": 2, "unit": 2, "spike": 6}
    assert "trial_start" not in recording  # the segments overlap: they stand on no common clock
    np.testing.assert_allclose(recording["spike_time"], [0.1, 0.2, 0.3, 0.2, 0.3, 1.1])


def test_elephant_takes_the_spike_trains_as_they_are():
    from elephant.statistics import mean_firing_rate

    recording = RECORDINGS["spikes"]()
    trains = neo.to_neo(recording).segments[1].spiketrains
    mine = (recording["spike_trial"].values == 1) & (recording["spike_unit"].values == 4)
    assert float(mean_firing_rate(trains[4])) == pytest.approx(mine.sum() / 2.0)


def test_pynapple_computes_on_the_units_as_they_are():
    objects = pynapple.to_pynapple(RECORDINGS["spikes"]())
    counts = objects["units"].count(0.5, objects["trials"])
    assert counts.shape == (12, N)
    assert counts.values.sum() == RECORDINGS["spikes"]().sizes["spike"]


def test_plain_arrays_of_anybodys_spikes_make_a_recording():
    recording = arrays.from_arrays(np.array([0.1, 0.2, 0.9]), np.array(["b", "a", "b"]), duration=1.0)
    np.testing.assert_array_equal(recording["spike_unit"], [1, 0, 1])


@pytest.mark.parametrize("write", [nwb.write_nwb, zarr_store.to_zarr])
def test_nothing_is_overwritten(write, tmp_path):
    path = tmp_path / "there.nwb"
    path.write_text("mine")
    with pytest.raises(SimlabError, match="is there already: name another"):
        write(RECORDINGS["rates"](), path)
    assert path.read_text() == "mine"


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(SimlabError, match="there is no file"):
        nwb.read_nwb(tmp_path / "no.nwb")
    with pytest.raises(SimlabError, match="there is no zarr folder"):
        zarr_store.from_zarr(tmp_path / "no.zarr")
    with pytest.raises(SimlabError, match="got no duration, n_trials, n_units"):
        arrays.from_dict({})
    with pytest.raises(SimlabError, match="has no weight"):
        arrays.from_dict({"n_units": 1, "n_trials": 1, "duration": 1.0, "weight": np.zeros(1)})
    with pytest.raises(SimlabError, match="needs trials"):
        pynapple.from_pynapple({})


def test_npz_files_never_unpickle(tmp_path):
    np.savez(tmp_path / "evil.npz", n_units=np.array([{}], dtype=object))
    with pytest.raises(SimlabError, match="allow_pickle"):
        arrays.from_npz(tmp_path / "evil.npz")


def test_zarr_keeps_values_to_the_bit(tmp_path):
    recording = bare(RECORDINGS["fluorescence"]())
    xr.testing.assert_equal(through_zarr(recording, tmp_path), recording)
