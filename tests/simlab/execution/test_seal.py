"""A sealed recording reads back the same, holds what is whitelisted alone, and is plain enough for a page of code."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from simlab.contracts import SimlabError
from simlab.data import bare, recording
from simlab.execution.strict.seal import ALIGNMENT, seal, unseal

SPIKE = (np.array([0]), np.array([0.5]), np.array([0]))


def full_recording() -> xr.Dataset:
    """One of everything that a recording may hold."""
    rng = np.random.default_rng(1)
    n, trials, frames, steps = 4, 3, 5, 7
    seen = recording(
        duration=np.array([2.0, 2.0, 1.75]),
        n_units=n,
        n_trials=trials,
        spikes=(rng.integers(0, trials, 20), rng.uniform(0, 1.7, 20), rng.integers(0, n, 20)),
        time=np.arange(steps) * 0.25,
        signal=rng.normal(size=(trials, frames, n)).astype(np.float32),
        modality="fluorescence",
        signal_units="dF/F",
        sample_time=np.arange(frames) * 0.4,
        stimulus=np.where(rng.random((trials, steps, 2)) < 0.3, np.nan, 1.0),
        behaviour=rng.integers(0, 9, (trials, steps, 1)),
        condition=[2, 0, 1],
        outcome=np.array([0.0, 0.5, 1.0]),
        unit_x=np.zeros(n),
        unit_y=np.arange(n) * 1e-5,
        unit_z=np.ones(n),
        unit_quality=np.linspace(0, 1, n),
        unit_region=np.arange(n) % 3,
        trial_start=np.array([0.5, 3.0, 9.0]),
        channel_x=np.arange(2) * 1e-5,
        channel_y=np.zeros(2),
        channel_z=np.zeros(2),
    ).assign_coords(feature=["angle", "contrast"], factor=["lick"])
    brief = {"candidates": ("ring", "chain"), "model": {"weights": np.array([[0.1, np.nan]]), "bound": np.inf}}
    told = {"resolution": 1e-4, "conditions": ("left", "right", "none"), "unread": ("the video was not used",)}
    return seen.assign_attrs(brief=brief, **told)


def test_what_is_unsealed_is_what_was_sealed(tmp_path):
    path = seal(full_recording(), tmp_path / "r.sealed")
    back, sent = unseal(path), bare(full_recording())
    assert str(back.attrs.pop("brief")) == str(sent.attrs.pop("brief"))  # arrays in it have no truth value
    xr.testing.assert_identical(back, sent)


def test_the_brief_comes_back_as_it_was_arrays_and_infinities_included(tmp_path):
    brief = unseal(seal(full_recording(), tmp_path / "r.sealed")).attrs["brief"]
    assert brief["candidates"] == ("ring", "chain")
    assert brief["model"]["bound"] == np.inf
    np.testing.assert_array_equal(brief["model"]["weights"], [[0.1, np.nan]])
    assert brief["model"]["weights"].dtype == np.float64


def test_a_signal_beside_the_units_keeps_its_channels(tmp_path):
    seen = recording(
        duration=1.0, n_units=1, n_trials=1, spikes=SPIKE, signal=np.ones((1, 3, 5)), over="channel",
        modality="field potential", signal_units="V", sample_time=np.arange(3) / 3, channel_x=np.zeros(5),
    )  # fmt: skip
    back = unseal(seal(seen, tmp_path / "r"))
    assert back["signal"].dims == ("trial", "sample", "channel")
    xr.testing.assert_identical(back, bare(seen))


def test_labels_of_units_are_not_sealed(tmp_path):
    seen = recording(duration=1.0, n_units=1, n_trials=1, spikes=SPIKE).assign_coords(unit_label=("unit", ["secret"]))
    path = seal(seen, tmp_path / "r")
    assert b"secret" not in path.read_bytes()
    assert "unit_label" not in unseal(path).coords


def test_a_recording_without_spikes_comes_back(tmp_path):
    seen = recording(
        duration=1.0, n_units=2, n_trials=1, signal=np.ones((1, 3, 2)), modality="rate", signal_units="Hz",
        sample_time=np.arange(3) / 3,
    )  # fmt: skip
    xr.testing.assert_identical(unseal(seal(seen, tmp_path / "r")), bare(seen))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1), st.integers(0, 2)), max_size=30))
def test_any_spikes_survive_to_the_last_bit(tmp_path_factory, table):
    columns = tuple(np.array(column) for column in zip(*table, strict=True)) if table else (np.zeros(0),) * 3
    seen = recording(duration=1.0, n_units=3, n_trials=2, spikes=columns)
    back = unseal(seal(seen, tmp_path_factory.getbasetemp() / "any.sealed"))
    assert np.array_equal(back["spike_time"].values, seen["spike_time"].values)
    assert np.array_equal(back["spike_unit"].values, seen["spike_unit"].values)


def test_nothing_but_the_whitelist_is_sealed(tmp_path):
    leaky = full_recording().assign_attrs(circuit="secret_circuit", seed="secret_seed")
    leaky = leaky.assign_coords(unit=[900001, 900002, 900003, 900004], neuron_name=("unit", ["secret_name"] * 4))
    leaky["spike_time"].attrs["from"] = "secret_neuron"
    leaky.encoding["source"] = "secret_path"
    content = seal(leaky, tmp_path / "r").read_bytes()
    assert b"secret" not in content
    assert struct.pack("<q", 900001) not in content
    assert content == seal(bare(full_recording()), tmp_path / "s").read_bytes()


def test_the_file_reads_with_a_json_parser_and_offsets_alone(tmp_path):
    """As docs/protocol.md describes it, without numpy or simlab."""
    path = seal(full_recording(), tmp_path / "r")
    with open(path, "rb") as file:
        line = file.readline()
        data = file.read()
    header = json.loads(line)
    assert len(line) % ALIGNMENT == 0
    assert (header["duration"], header["n_trials"], header["n_units"]) == (2.0, 3, 4)
    assert (header["features"], header["brief"]["candidates"]) == (["angle", "contrast"], ["ring", "chain"])
    assert (header["modality"], header["conditions"]) == ("fluorescence", ["left", "right", "none"])
    assert next(v for v in header["variables"] if v["name"] == "signal")["units"] == "dF/F"
    times = next(v for v in header["variables"] if v["name"] == "spike_time")
    assert (times["dtype"], times["dims"], times["shape"], times["units"]) == ("float64", ["spike"], [20], "s")
    read = struct.unpack_from("<20d", data, times["offset"])
    assert list(read) == full_recording()["spike_time"].values.tolist()
    assert all(v["offset"] % ALIGNMENT == 0 for v in header["variables"])


def test_what_is_no_recording_is_not_sealed(tmp_path):
    with pytest.raises(SimlabError, match="duration"):
        seal(xr.Dataset(), tmp_path / "r")


@pytest.mark.parametrize("content", [b"", b"hello\n", b'{"format": "other"}\n', b"[1]\n"])
def test_a_file_that_is_no_sealed_recording_is_named(tmp_path: Path, content: bytes):
    (tmp_path / "r").write_bytes(content)
    with pytest.raises(SimlabError, match="no sealed recording"):
        unseal(tmp_path / "r")


def test_a_file_cut_short_is_damaged(tmp_path):
    path = seal(full_recording(), tmp_path / "r")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(SimlabError, match=r"damaged.*seal it again"):
        unseal(path)
