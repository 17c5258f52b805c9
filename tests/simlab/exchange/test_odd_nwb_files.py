"""Damaged and odd NWB files: read right, with a word on what was left out, or refused by rule, value and fix."""

import shutil
import warnings
from datetime import UTC, datetime
from functools import partial

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.behavior import BehavioralTimeSeries
from pynwb.ecephys import LFP, ElectricalSeries
from pynwb.ophys import DfOverF, ImageSegmentation, OpticalChannel

from simlab.contracts import SimlabError
from simlab.data import check_recording, recording
from simlab.exchange.nwb import read_nwb, write_nwb

TRAINS = ([1.25, 1.5, 2.75], [1.125, 4.5])
ONSETS = (1.0, 2.5, 4.0)  # of trials of 1 s


def new_file():
    return NWBFile(session_description="x", identifier="x", session_start_time=datetime(2020, 1, 1, tzinfo=UTC))


def with_units(trains=TRAINS, *, trials=(), columns=(), conditions=(), ids=()):
    """A file of units, and of trials as (start, stop) [s]. columns: (name, values) of units."""
    file = new_file()
    if conditions:
        file.add_trial_column("condition", "x", index=any(isinstance(c, list) for c in conditions))
    for k, (start, stop) in enumerate(trials):
        file.add_trial(start_time=start, stop_time=stop, **({"condition": conditions[k]} if conditions else {}))
    for name in {name for name, _ in columns} - {"obs_intervals"}:
        file.add_unit_column(name, name)
    for k, train in enumerate(trains):
        known = {name: values[k] for name, values in columns} | ({"id": ids[k]} if ids else {})
        file.add_unit(**known, **({} if train is None else {"spike_times": np.asarray(train)}))
    return file


def imaged(values, *, times=None, rate=None, regions=2, trials=()):
    file = with_units((), trials=trials)
    device = file.create_device("microscope")
    channel = OpticalChannel(name="green", description="x", emission_lambda=510.0)
    plane = file.create_imaging_plane(
        name="plane", description="x", optical_channel=channel, device=device, excitation_lambda=920.0, indicator="x",
        location="x",
    )  # fmt: skip
    masks, held = ImageSegmentation(), DfOverF()
    module = file.create_processing_module("ophys", "x")
    module.add(masks)
    module.add(held)
    table = masks.create_plane_segmentation(name="rois", description="x", imaging_plane=plane)
    for _ in range(regions):
        table.add_roi(pixel_mask=[(0, 0, 1.0)])
    rois = table.create_roi_table_region("x", region=list(range(regions)))
    clock = {"timestamps": times} if rate is None else {"rate": rate}
    held.create_roi_response_series(name="traces", data=values, unit="n.a.", rois=rois, **clock)
    return file


def with_lfp(data, rows, **kw):
    file = with_units(trials=[(t, t + 1.0) for t in ONSETS])
    group = file.create_electrode_group("shank", description="x", location="x", device=file.create_device("probe"))
    for x in range(3):
        file.add_electrode(x=float(x), y=0.0, z=0.0, location="x", group=group)
    region = file.create_electrode_table_region(region=rows, description="x")
    series = ElectricalSeries(name="lfp", data=data, electrodes=region, rate=10.0, **kw)
    file.create_processing_module("ecephys", "x").add(LFP(electrical_series=series))
    return file


def with_series(*series, behaviour=None):
    file = with_units(trials=[(t, t + 1.0) for t in ONSETS])
    for one in series:
        file.add_stimulus(one)
    if behaviour is not None:
        file.create_processing_module("behavior", "x").add(BehavioralTimeSeries(time_series=behaviour))
    return file


SOUND_TRIALS = [(t, t + 1.0) for t in ONSETS]
FRAMES = np.column_stack([np.arange(60.0), -np.arange(60.0)])
CLOCK = np.arange(60) * 0.1


def put(path, values, target=None):
    """Replaces a dataset by other values; what refers to it is told its new place."""

    def edit(file):
        attrs = dict(file[path].attrs)
        del file[path]
        file.create_dataset(path, data=values).attrs.update(attrs)
        if f"{path}_index" in file:
            file[f"{path}_index"].attrs["target"] = file[path].ref

    return edit


def drop(*paths):
    def edit(file):
        for path in paths:
            del file[path]

    return edit


def attribute(path, name, value):
    def edit(file):
        file[path].attrs[name] = value

    return edit


def notes(old, new):
    def edit(file):
        text = file["scratch/simlab_notes"][()].decode()
        assert old in text
        put("scratch/simlab_notes", text.replace(old, new))(file)

    return edit


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Sound files by name, to be damaged in copies."""
    folder = tmp_path_factory.mktemp("sound")
    files = {
        "units": with_units(trials=SOUND_TRIALS, conditions=(1, 2, 1), columns=[("unit_x", (0.0, 1e-5))]),
        "imaged": imaged(FRAMES, times=CLOCK, trials=SOUND_TRIALS),
        "regular": imaged(FRAMES, rate=10.0, trials=SOUND_TRIALS),
        "observed": with_units(trials=SOUND_TRIALS, columns=[("obs_intervals", ([[0.0, 9.0]], [[0.0, 9.0]]))]),
        "shown": with_series(series(timestamps=CLOCK)),
    }
    for name, file in files.items():
        with NWBHDF5IO(folder / f"{name}.nwb", mode="w") as io:
            io.write(file)
    spikes = (np.array([0, 1]), np.array([0.25, 0.5]), np.array([0, 1]))
    ours = recording(duration=1.0, n_units=2, n_trials=2, spikes=spikes, condition=[0, 1])
    write_nwb(ours.assign_attrs(conditions=("a", "b")), folder / "ours.nwb")
    return folder


def built(make):
    """Writes what pynwb made."""

    def write(path, sound):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with NWBHDF5IO(path, mode="w") as io:
                io.write(make())

    return write


def damaged(name, *edits):
    def write(path, sound):
        shutil.copy(sound / f"{name}.nwb", path)
        with h5py.File(path, "r+") as file:
            for edit in edits:
                edit(file)

    return write


def cut(share):
    def write(path, sound):
        whole = (sound / "units.nwb").read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])

    return write


def plain_hdf5(path, sound, **attrs):
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(3)
        file.attrs.update(attrs)


units = lambda *a, **kw: built(partial(with_units, *a, **kw))  # noqa: E731
INF, NAN = np.inf, np.nan

REFUSED = {
    "not HDF5": (lambda path, sound: path.write_text("time,unit\n0.1,3\n"), "must be an NWB file"),
    "an empty file": (lambda path, sound: path.write_bytes(b""), "must be an NWB file"),
    "a folder": (lambda path, sound: path.mkdir(), "there is no file"),
    "no file": (lambda path, sound: None, "there is no file"),
    "cut at a hundredth": (cut(0.01), "must be an NWB file"),
    "cut in the middle": (cut(0.5), "must be an NWB file"),
    "cut before the end": (cut(0.99), "must be an NWB file"),
    "HDF5 but not NWB": (plain_hdf5, "must be an NWB file"),
    "an old NWB": (partial(plain_hdf5, nwb_version="NWB-1.0.6"), "must be an NWB file"),
    "nothing": (built(new_file), "nothing to analyse"),
    "trials alone": (units((), trials=SOUND_TRIALS), "nothing to analyse"),
    "units without spike times": (units((None, None), columns=[("depth", (1, 2))]), "nothing to analyse"),
    "a table of units without rows": (
        damaged("units", put("units/id", np.zeros(0, int)), put("units/spike_times", np.zeros(0)),
                put("units/spike_times_index", np.zeros(0, np.uint8)), put("units/unit_x", np.zeros(0))),
        "nothing to analyse|unit"),
    "silent units without trials": (units(([], [])), "has no end"),
    "no spike of finite time and no trials": (units(([NAN], [NAN, INF])), "has no end"),
    "spikes before time 0 alone": (units(([-3.0, -1.0], [-2.0])), "has no end"),
    "trials on another clock": (units(trials=[(1000.0, 1001.0)]), "none of the 5 spikes"),
    "trials of zero length": (units(trials=[(1.0, 1.0), (2.0, 2.0)]), "longer than 0 s"),
    "trials of negative length": (units(trials=[(2.0, 1.0)]), "longer than 0 s"),
    "trials of NaN": (units(trials=[(NAN, NAN)]), "longer than 0 s"),
    "a trial without end": (units(trials=[(1.0, INF)]), "longer than 0 s"),
    "overlapping trials": (units(trials=[(1.0, 3.0), (2.0, 4.0)]), "trial 0 from 1 to 3 s and trial 1 from 2 s"),
    "a trial twice": (units(trials=[(1.0, 2.0), (1.0, 2.0)]), "trials must follow one another"),
    "trials without ends": (damaged("units", drop("intervals/trials/stop_time")), "stop_time"),
    "trials with fewer ends than starts": (
        damaged("units", put("intervals/trials/stop_time", np.array([2.0, 3.5]))), "TimeIntervals.*same length"),
    "words for the starts of trials": (
        damaged("units", put("intervals/trials/start_time", np.array([b"a", b"b", b"c"]))), "start_time"),
    "words for spike times": (
        damaged("units", put("units/spike_times", np.array([b"a"] * 5))), "spike_times"),
    "spikes of no unit": (damaged("units", drop("units/spike_times_index")), "Units.*same length"),
    "a spike index beyond the spikes": (
        damaged("units", put("units/spike_times_index", np.array([3, 99], np.uint8))), "spike_times_index"),
    "a spike index that goes back": (
        damaged("units", put("units/spike_times_index", np.array([4, 2], np.uint8))), "spike_times_index"),
    "a spike index of another length": (
        damaged("units", put("units/spike_times_index", np.array([5], np.uint8))), "Units.*same length"),
    "no session start": (damaged("units", drop("session_start_time")), "NWB file"),
    "an unknown type of data": (damaged("units", attribute("units", "neurodata_type", "Ghosts")), "NWB file|nothing"),
    "fluorescence without a clock": (
        damaged("regular", drop("processing/ophys/DfOverF/traces/starting_time")), "traces|NWB file"),
    "fluorescence at a rate of 0": (
        damaged("regular", attribute("processing/ophys/DfOverF/traces/starting_time", "rate", 0.0)), "rate"),
    "fluorescence at a rate of NaN": (
        damaged("regular", attribute("processing/ophys/DfOverF/traces/starting_time", "rate", NAN)), "rate"),
    "fluorescence with too few times": (
        damaged("imaged", put("processing/ophys/DfOverF/traces/timestamps", CLOCK[:50])), "60 samples at 50 times"),
    "fluorescence without samples": (built(partial(imaged, np.zeros((0, 2)), rate=10.0)), "sample"),
    "fluorescence at times of NaN alone": (built(partial(imaged, FRAMES, times=np.full(60, NAN))), "has no end|sample"),
    "fluorescence of NaN alone": (built(partial(imaged, FRAMES * NAN, rate=10.0)), "finite"),
    "fluorescence laid on its side": (built(partial(imaged, FRAMES.T, rate=10.0)), "each of the 2 "),
    "words for fluorescence": (
        damaged("regular", put("processing/ophys/DfOverF/traces/data", np.array([[b"a", b"b"]] * 60))), "numbers"),
    "fluorescence that misses a trial": (built(partial(imaged, FRAMES, rate=10.0, trials=[(1.0, 2.0), (50.0, 51.0)])),
                                         "no sample lies in 1 of 2 trials"),
    "a field potential of other channels than electrodes": (
        built(partial(with_lfp, np.zeros((60, 2)), [0, 1, 2])), "each of the 3"),
    "notes that speak of a signal that is not there": (
        damaged("ours", notes('"signal": null', '"signal": {"over": "unit", "modality": "x", "units": ""}')),
        "simlab notes, got none"),
    "notes with names for other units": (
        damaged("ours", notes('"names": {}', '"names": {"unit_label": ["a", "b", "c"]}')),
        "notes must name each unit_label, got 3 for 2"),
    "notes without half of what they should say": (damaged("ours", notes('"clock"', '"clack"')), "notes must say"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_read_is_refused_by_rule_value_and_fix(kind, sound, tmp_path):
    write, rule = REFUSED[kind]
    path = tmp_path / "odd.nwb"
    write(path, sound)
    with pytest.raises(SimlabError, match=rule) as caught:
        read_nwb(path)
    assert ":" in str(caught.value)


def counts(found):
    return np.bincount(found["spike_unit"], minlength=found.sizes["unit"]).tolist()


def series(name="shown", n=60, data=None, **kw):
    data = np.arange(float(n)) if data is None else data
    clock = kw if "timestamps" in kw else {"rate": 10.0} | kw
    return TimeSeries(name=name, data=data, unit="x", **clock)


# What is written, the spikes of each unit that are read, trials, and what is said to be left out.
READ = {
    "one spike of NaN": (units(([1.25, NAN, 2.75], [1.125])), [2, 1], 1, "1 of 4 spikes without a finite time"),
    "spikes at infinity": (units(([1.25, INF, -INF], [1.125])), [1, 1], 1, "2 of 4 spikes without a finite time"),
    "NaN spikes in trials": (units(([NAN, 1.5], [2.75]), trials=SOUND_TRIALS), [1, 1], 3, "1 of 3 spikes without"),
    "some spikes before time 0": (units(([-1.0, 1.0], [2.0])), [1, 1], 1, "1 of 3 spikes outside trials"),
    "some spikes outside trials": (units(([0.5, 1.5], [2.75, 9.0]), trials=SOUND_TRIALS), [1, 1], 3, "2 of 4 spikes"),
    "unsorted spikes": (units(([2.75, 1.25, 1.5], [4.5, 1.125]), trials=SOUND_TRIALS), [3, 2], 3, ""),
    "a spike twice": (units(([1.25, 1.25], [1.5])), [2, 1], 1, ""),
    "whole numbers for spike times": (units((np.array([1, 2]), np.array([3]))), [2, 1], 1, ""),
    "single precision": (units((np.array([1.25], np.float32), np.array([1.5], np.float32))), [1, 1], 1, ""),
    "a silent unit": (units(([], [1.5]), trials=SOUND_TRIALS), [0, 1], 3, ""),
    "silent units alone, in trials": (units(([], []), trials=SOUND_TRIALS), [0, 0], 3, ""),
    "a trial of no length among others": (
        units(trials=[(1.0, 2.0), (2.5, 2.5), (4.0, 5.0)]), [2, 2], 2, "1 of 3 trials"),
    "a trial of negative length among others": (
        units(trials=[(1.0, 2.0), (3.5, 2.5), (4.0, 5.0)]), [2, 2], 2, "1 of 3 trials"),
    "a trial of NaN among others": (units(trials=[(1.0, 2.0), (NAN, 3.5), (4.0, 5.0)]), [2, 2], 2, "1 of 3 trials"),
    "a table of trials without rows": (
        damaged("units", *(put(f"intervals/trials/{name}", np.zeros(0)) for name in
                           ("start_time", "stop_time", "condition", "id"))), [3, 2], 1, ""),
    "trials before time 0": (units(([-0.5, 1.5], [1.25]), trials=[(-1.0, 0.0), (1.0, 2.0)]), [2, 1], 2, "before 0"),
    "conditions of NaN": (units(trials=SOUND_TRIALS, conditions=(1.0, NAN, 1.0)), [3, 2], 3, ""),
    "conditions at infinity": (units(trials=SOUND_TRIALS, conditions=(1.0, INF, 1.0)), [3, 2], 3, ""),
    "conditions beyond 32 bits": (units(trials=SOUND_TRIALS, conditions=(1, 2**40, 1)), [3, 2], 3, ""),
    "ragged conditions": (units(trials=SOUND_TRIALS, conditions=([1], [1, 2], [])), [3, 2], 3, "condition"),
    "ids twice": (units(ids=(7, 7)), [3, 2], 1, "ids of units"),
    "no ids": (damaged("units", drop("units/id")), [3, 2], 3, ""),
    "intervals of observation that are no pairs": (
        damaged("observed", put("units/obs_intervals", np.arange(2.0))), [3, 2], 3, "2 of 2 units were not observed"),
    "intervals of observation of NaN": (
        damaged("observed", put("units/obs_intervals", np.full((2, 2), NAN))), [3, 2], 3, "2 of 2 units were not"),
    "names twice": (units(columns=[("unit_name", ("a", "a"))]), [3, 2], 1, "unit_name"),
    "words for positions": (units(columns=[("unit_x", ("left", "right"))]), [3, 2], 1, "unit_x"),
    "words for quality": (units(columns=[("unit_quality", ("good", "bad"))]), [3, 2], 1, "unit_quality"),
    "a quality beyond 1": (units(columns=[("unit_quality", (3.0, 0.5))]), [3, 2], 1, "unit_quality"),
    "a quality of infinity": (units(columns=[("unit_quality", (INF, 0.5))]), [3, 2], 1, "unit_quality"),
    "positions of three numbers": (
        units(columns=[("unit_x", ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]))]), [3, 2], 1, "unit_x"),
    "channels that are words": (units(columns=[("peak_channel", ("a", "b"))]), [3, 2], 1, "peak_channel"),
    "a stimulus of NaN times": (
        built(partial(with_series, series(timestamps=np.full(60, NAN)))), [3, 2], 3, "shown"),
    "a stimulus with too few times": (
        damaged("shown", put("stimulus/presentation/shown/timestamps", CLOCK[:9])), [3, 2], 3, "shown"),
    "a stimulus of words": (
        built(partial(with_series, series(data=["a"] * 60))), [3, 2], 3, "shown"),
    "a stimulus without samples": (built(partial(with_series, series(n=0))), [3, 2], 3, "shown"),
    "a stimulus of pictures": (built(partial(with_series, series(data=np.zeros((60, 4, 4))))), [3, 2], 3, "shown"),
    "behaviour outside trials": (
        built(partial(with_series, behaviour=series("run", starting_time=90.0))), [3, 2], 3, "run"),
    "a stimulus and behaviour on two clocks": (
        built(partial(with_series, series(), behaviour=series("run", starting_time=0.03))), [3, 2], 3, "run"),
    "a field potential at no known electrode": (
        built(partial(with_lfp, np.zeros((60, 2)), [0, 1])), [3, 2], 3, ""),
    "notes that are not ours": (damaged("ours", put("scratch/simlab_notes", "{half a lin")), [1, 1], 2, "simlab_notes"),
    "notes of a later version": (damaged("ours", notes('"version": 1', '"version": 9')), [1, 1], 2, "simlab_notes"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", READ)
def test_what_can_be_read_is_read_right_and_the_rest_is_said(kind, sound, tmp_path):
    write, spikes, n_trials, said = READ[kind]
    write(tmp_path / "odd.nwb", sound)
    found = read_nwb(tmp_path / "odd.nwb")
    check_recording(found)
    assert counts(found) == spikes
    assert found.sizes["trial"] == n_trials
    told = "; ".join(found.attrs.get("unread", ()))
    assert said in told
    assert said or not [word for word in ("spike", "trials that") if word in told]
    assert len(set(found["unit_label"].values)) == len(spikes) if "unit_label" in found.coords else True


@pytest.mark.filterwarnings("ignore")
def test_conditions_that_are_no_32_bit_numbers_get_names(sound, tmp_path):
    for kind, names in (
        ("conditions of NaN", ("1.0", "nan")),
        ("conditions at infinity", ("1.0", "inf")),
        ("conditions beyond 32 bits", ("1", str(2**40))),
    ):
        path = tmp_path / f"{kind}.nwb"
        READ[kind][0](path, sound)
        found = read_nwb(path)
        assert found.attrs["conditions"] == names
        assert found["condition"].values.tolist() == [0, 1, 0]


@pytest.mark.filterwarnings("ignore")
def test_frames_at_the_times_of_others_are_left_out_and_counted(sound, tmp_path):
    times = CLOCK.copy()
    times[[12, 30]] = times[[11, 29]]  # one in the first trial, one in the second
    damaged("imaged", put("processing/ophys/DfOverF/traces/timestamps", times))(tmp_path / "x.nwb", sound)
    found = read_nwb(tmp_path / "x.nwb")
    assert "2 samples of traces at the time of another" in found.attrs["unread"]
    assert (np.diff(found["sample_time"]) > 0).all()
    assert found["signal"].values[0, :3, 0].tolist() == [10.0, 11.0, 13.0]


@pytest.mark.filterwarnings("ignore")
def test_frames_out_of_order_are_put_in_order(sound, tmp_path):
    order = np.random.default_rng(0).permutation(60)
    damaged(
        "imaged",
        put("processing/ophys/DfOverF/traces/timestamps", CLOCK[order]),
        put("processing/ophys/DfOverF/traces/data", FRAMES[order]),
    )(tmp_path / "x.nwb", sound)
    found = read_nwb(tmp_path / "x.nwb")
    assert found["signal"].values[0, :10, 0].tolist() == list(range(10, 20))
