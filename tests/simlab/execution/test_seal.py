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


def full_recording() -> xr.Dataset:
    """One of everything that a recording may hold."""
    rng = np.random.default_rng(1)
    n, trials, frames, steps = 4, 3, 5, 7
    seen = recording(
        duration=2.0,
        n_units=n,
        n_trials=trials,
        spikes=(rng.integers(0, trials, 20), rng.uniform(0, 2, 20), rng.integers(0, n, 20)),
        time=np.arange(steps) * 0.25,
        rate=rng.normal(size=(trials, steps, n)).astype(np.float32),
        fluorescence=rng.normal(size=(trials, frames, n)),
        frame_time=np.arange(frames) * 0.4,
        stimulus=np.where(rng.random((trials, steps, 2)) < 0.3, np.nan, 1.0),
        behaviour=rng.integers(0, 9, (trials, steps, 1)),
        condition=[2, 0, 1],
        unit_x=np.zeros(n),
        unit_y=np.arange(n) * 1e-5,
        unit_z=np.ones(n),
    ).assign_coords(feature=["angle", "contrast"])
    return seen.assign_attrs(candidates=("ring", "chain"))


def test_what_is_unsealed_is_what_was_sealed(tmp_path):
    path = seal(full_recording(), tmp_path / "r.sealed")
    xr.testing.assert_identical(unseal(path), bare(full_recording()))


def test_a_recording_without_spikes_comes_back(tmp_path):
    seen = recording(duration=1.0, n_units=2, n_trials=1, fluorescence=np.ones((1, 3, 2)), frame_time=np.arange(3) / 3)
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
    assert (header["features"], header["candidates"]) == (["angle", "contrast"], ["ring", "chain"])
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
