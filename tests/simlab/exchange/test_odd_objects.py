"""Odd Neo blocks, pynapple objects, zarr folders, npz files and dictionaries: read right, or refused by rule."""

import json
import shutil

import neo as neo_library
import numpy as np
import pynapple as nap
import pytest

from simlab.contracts import SimlabError
from simlab.data import from_arrays
from simlab.exchange import arrays, neo, pynapple, zarr_store

HALF = '{"format": "simlab-notes", "version": 1}'
RECORDING = from_arrays([0.1, 0.2], [0, 1], duration=1.0)


def block(*segments, **annotations):
    """Of segments as lists of spike trains' times [s]."""
    whole = neo_library.Block()
    for trains in segments:
        segment = neo_library.Segment(**annotations)
        segment.spiketrains.extend([neo_library.SpikeTrain(t, units="s", t_stop=2.0) for t in trains])
        whole.segments.append(segment)
    return whole


def noted(whole, notes):
    whole.annotate(simlab=notes)
    return whole


BLOCKS = {
    "nothing": (lambda: None, "must be a neo Block"),
    "a segment": (neo_library.Segment, "must be a neo Block"),
    "no segments": (block, "at least one segment"),
    "segments without trains": (lambda: block([], []), "longer than 0 s"),
    "spikes of NaN alone": (lambda: block([[np.nan]]), "finite times, got none among 1"),
    "a word for the duration": (lambda: block([[0.5]], duration="x"), "must be a neo Block"),
    "a duration that cuts spikes off": (lambda: block([[0.5]], duration=0.1), "right duration"),
    "lists for conditions": (lambda: block([[0.5]], condition=[1, 2]), "condition must have dims"),
    "half of the notes": (lambda: noted(block([[0.5]]), HALF), "notes must say"),
}


@pytest.mark.parametrize("kind", BLOCKS)
def test_odd_blocks_are_refused(kind):
    make, rule = BLOCKS[kind]
    with pytest.raises(SimlabError, match=rule):
        neo.from_neo(make())


@pytest.mark.filterwarnings("ignore:.*not used")
def test_unusual_blocks_are_read_right():
    assert neo.from_neo(block([[1.0, 0.5]]))["spike_time"].values.tolist() == [0.5, 1.0]
    found = neo.from_neo(block([[0.1, np.nan]]))
    assert (found.sizes["spike"], found.attrs["unread"]) == (1, ("1 of 2 spikes without a finite time",))
    milliseconds = neo_library.Block()
    milliseconds.segments.append(neo_library.Segment())
    milliseconds.segments[0].spiketrains.append(neo_library.SpikeTrain([100.0], units="ms", t_stop=2000.0))
    assert neo.from_neo(milliseconds)["spike_time"].values.tolist() == [0.1]


def trials(*bounds):
    return nap.IntervalSet(*zip(*(bounds or ((0.0, 2.0), (3.0, 5.0))), strict=True))


def group(**info):
    units = nap.TsGroup({0: nap.Ts([0.5, 4.0])})
    units.set_info(**info)
    return units


def frame(n):
    return nap.TsdFrame(t=np.arange(n) * 0.1, d=np.ones((n, 2)))


OBJECTS = {
    "nothing": (lambda: None, "must be a dictionary of pynapple's"),
    "units alone": (group, "must be a dictionary of pynapple's"),
    "an array of trials": (lambda: {"trials": np.array([[0, 1]]), "units": group()}, "trials an IntervalSet"),
    "no trials": (lambda: {"trials": nap.IntervalSet([], []), "units": group()}, "at least one, got 0"),
    "neither units nor signal": (lambda: {"trials": trials()}, "needs units or a signal"),
    "a list of units": (lambda: {"trials": trials(), "units": [1, 2]}, "units a TsGroup"),
    "a dictionary of units": (lambda: {"trials": trials(), "units": {0: nap.Ts([0.5])}}, "units a TsGroup"),
    "one unit's spikes": (lambda: {"trials": trials(), "units": nap.Ts([0.5])}, "units a TsGroup"),
    "trials on another clock": (lambda: {"trials": trials((100.0, 101.0)), "units": group()}, "none of the 2 spikes"),
    "words for positions": (lambda: {"trials": trials(), "units": group(unit_x=["a"])}, "dictionary of pynapple's"),
    "an array of stimuli": (lambda: {"trials": trials(), "units": group(), "stimulus": np.zeros(3)}, "dictionary of"),
    "a signal that misses a trial": (lambda: {"trials": trials(), "voltage": frame(10)}, "no sample lies in 1 of 2"),
    "half of the notes": (lambda: {"trials": trials(), "units": group(), "notes": HALF}, "notes must say"),
    "the notes of other trials": (lambda: pynapple.to_pynapple(RECORDING) | {"trials": trials()}, "must be 1, got 2"),
    "the notes of other units": (lambda: pynapple.to_pynapple(RECORDING) | {"units": group()}, "must be the 2 of the"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", OBJECTS)
def test_odd_pynapple_objects_are_refused(kind):
    make, rule = OBJECTS[kind]
    with pytest.raises(SimlabError, match=rule):
        pynapple.from_pynapple(make())


def edited(change):
    def edit(path):
        meta = json.loads((path / "zarr.json").read_text())
        change(meta["attributes"])
        (path / "zarr.json").write_text(json.dumps(meta))

    return edit


def cut_chunks(path):
    for chunk in (path / "spike_time" / "c").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(chunk.read_bytes()[:3])


FOLDERS = {
    "no group": lambda path: (path / "zarr.json").unlink(),
    "half of its description": lambda path: (path / "zarr.json").write_text((path / "zarr.json").read_text()[:50]),
    "no layout": edited(lambda attributes: attributes.pop("layout")),
    "an empty layout": edited(lambda attributes: attributes.update(layout={})),
    "no attributes": edited(lambda attributes: attributes.pop("attrs")),
    "other dims": edited(lambda attributes: attributes["layout"]["spike_time"].update(dims=["trial"])),
    "a missing array": lambda path: shutil.rmtree(path / "spike_time"),
    "cut chunks": cut_chunks,
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_damaged_zarr_folders_are_refused(kind, tmp_path):
    zarr_store.to_zarr(RECORDING, tmp_path / "r.zarr")
    FOLDERS[kind](tmp_path / "r.zarr")
    with pytest.raises(SimlabError):
        zarr_store.from_zarr(tmp_path / "r.zarr")


def test_damaged_npz_files_are_refused(tmp_path):
    arrays.to_npz(RECORDING, tmp_path / "r.npz")
    whole = (tmp_path / "r.npz").read_bytes()
    for content in (b"", b"text", whole[:100], whole[: len(whole) // 2]):
        (tmp_path / "x.npz").write_bytes(content)
        with pytest.raises(SimlabError, match=r"must be an \.npz file"):
            arrays.from_npz(tmp_path / "x.npz")
    for path in (tmp_path, tmp_path / "none.npz"):
        with pytest.raises(SimlabError, match="there is no file"):
            arrays.from_npz(path)


PARTS = {
    "a word for n_units": ({"n_units": "a"}, "such as to_dict gives"),
    "trials below 0": ({"n_trials": -1}, "at least one trial, got -1"),
    "no trials": ({"n_trials": 0}, "at least one trial, got 0"),
    "a duration of NaN": ({"duration": np.nan}, "finite and > 0 s"),
    "a duration of 0": ({"duration": 0.0}, "finite and > 0 s"),
    "spikes of NaN": ({"spike_time": [np.nan, 0.1]}, "finite, got 1"),
    "units beyond the count": ({"spike_unit": [0, 7]}, "index the 2 units"),
    "half a unit": ({"spike_unit": [0.5, 1.0]}, "whole numbers"),
    "words for trials": ({"spike_trial": ["a", "b"]}, "columns of numbers"),
    "half a brief": ({"brief": "{"}, "such as to_dict gives"),
    "too few labels": ({"unit_label": ["a"]}, "such as to_dict gives"),
    "too many positions": ({"unit_x": np.zeros(3)}, "agree on the sizes"),
    "a start of NaN": ({"trial_start": [np.nan]}, "trial_start must be finite"),
}


@pytest.mark.parametrize("kind", PARTS)
def test_parts_that_make_no_recording_are_refused(kind):
    changed, rule = PARTS[kind]
    with pytest.raises(SimlabError, match=rule):
        arrays.from_dict({**arrays.to_dict(RECORDING), **changed})
