"""Generated datasets: blind data, truth apart."""

import json
from dataclasses import dataclass
from typing import ClassVar

import h5py
import numpy as np
import pytest
import xarray as xr
from toys import ToyChain, ToyRival

from simlab import register
from simlab.contracts import SimlabError
from simlab.exchange.generate import family_of, generate, read_truth
from simlab.exchange.nwb import read_nwb
from simlab.exchange.zarr_store import from_zarr
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.stimulating.ideal import Ideal
from simlab.registry import RegistryError, rivals_of
from simlab.truths import answerable

SEED = "a long secret seed 8461"
PLAN = {"trials": 3, "duration": 2.0, "seed": SEED}


def made(folder, data="d.nwb", truth="t.json", instrument=Subsample(4)):  # noqa: B008
    recording = generate(ToyChain(), instrument, **PLAN, out=folder / data, truth=folder / truth)
    return recording, *read_truth(folder / truth)


@pytest.mark.parametrize(("data", "read"), [("d.nwb", read_nwb), ("d.zarr", from_zarr)])
def test_the_file_holds_the_recording(data, read, tmp_path):
    recording, _, _ = made(tmp_path, data=data)
    stored = read(tmp_path / data)
    assert dict(stored.sizes) == dict(recording.sizes)
    np.testing.assert_allclose(stored["spike_time"], recording["spike_time"], atol=1e-9)
    np.testing.assert_array_equal(stored["spike_unit"], recording["spike_unit"])


@dataclass(frozen=True)
class Imitator(ToyRival):
    """A rival of the toy chain with a mechanism of its own."""

    name: ClassVar[str] = "imitator"
    mechanism: ClassVar[str] = "imitation"
    twin_of: ClassVar[tuple[str, ...]] = ("toy_chain",)


@pytest.fixture
def family():
    register(ToyChain, replace=True)
    register(Imitator, replace=True)
    return tuple(sorted({ToyChain.mechanism, "imitation"} | {r.mechanism for r in rivals_of("toy_chain")}))


@pytest.mark.parametrize(("data", "read"), [("d.nwb", read_nwb), ("d.zarr", from_zarr)])
def test_the_file_tells_a_method_which_mechanisms_to_choose_among(data, read, family, tmp_path):
    made(tmp_path, data=data)
    assert read(tmp_path / data).attrs["brief"]["candidates"] == family
    assert len(family) > 1


def test_a_rival_is_offered_the_same_candidates_as_the_circuit_that_it_imitates(family):
    assert family_of(Imitator()) == family_of(ToyChain()) == family


@pytest.mark.parametrize("truth", ["t.json", "t.zarr"])
def test_the_truth_file_holds_key_anatomy_and_every_answer_over_neurons_and_units(truth, tmp_path):
    _, origin, truths = made(tmp_path, truth=truth)
    assert origin["seed"] == SEED
    assert origin["circuit"]["name"] == "toy_chain"
    assert origin["circuit"]["parameters"]["coupling"] == 0.5
    asked = answerable(ToyChain())
    expected = {"key", "anatomy"} | {f"{q}/{over}" for q in asked for over in ("neurons", "units")}
    assert set(truths) == expected
    assert truths["key"]["share"].dims == ("unit", "neuron")
    assert str(truths["mechanism/units"]["label"].values) == ToyChain.mechanism
    assert list(truths["anatomy"]["cell_type"].values) == ["E"] * 6


def test_the_key_fits_the_order_of_units_in_the_data(tmp_path):
    recording, _, truths = made(tmp_path)
    neuron = truths["key"]["share"].values.argmax(axis=1)
    np.testing.assert_allclose(recording["unit_x"], truths["anatomy"]["x"].values[neuron])
    weight = truths["connectivity/neurons"]["weight"].values
    np.testing.assert_allclose(truths["connectivity/units"]["weight"], weight[np.ix_(neuron, neuron)])


def test_units_are_in_no_order_that_tells_the_neurons(tmp_path):
    _, _, truths = made(tmp_path, instrument="perfect")
    assert list(truths["key"]["share"].values.argmax(axis=1)) != list(range(6))


def written_in(path):
    """Names, attributes and text in an NWB file, but for the copy of the NWB schema that every file carries."""
    found = []
    with h5py.File(path) as file:

        def visit(name, item):
            if name.startswith("specifications"):
                return
            found.extend([name, *map(str, item.attrs), *map(str, item.attrs.values())])
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "OS":
                found.append(str(item[()]))

        file.visititems(visit)
    return "\n".join(found).lower()


@pytest.mark.parametrize("instrument", ["perfect", Subsample(4), "two_photon"])
def test_the_data_hold_no_trace_of_the_truth(instrument, tmp_path):
    made(tmp_path, instrument=instrument)
    raw = (tmp_path / "d.nwb").read_bytes().decode("latin-1").lower()
    for clue in (SEED, "8461", "toy", "toychain", "spike_neuron", "subsample"):
        assert clue not in raw, clue
    text = written_in(tmp_path / "d.nwb")
    assert "synthetic" in text
    for clue in ("neuron", "weight", "coupling", "truth", "cell_type", "circuit", "seed"):
        assert clue not in text.replace("simulated neuroscience lab", ""), clue


def test_a_zarr_recording_holds_no_trace_of_the_truth(tmp_path):
    made(tmp_path, data="d.zarr")
    text = "".join(p.read_bytes().decode("latin-1") for p in (tmp_path / "d.zarr").rglob("*") if p.is_file()).lower()
    for clue in (SEED, "8461", "toy", "spike_neuron", "coupling", "truth", "cell_type"):
        assert clue not in text, clue
    names = {p.parent.name for p in (tmp_path / "d.zarr").rglob("zarr.json")}
    assert not names & {"neuron", "weight", "key", "share"}


def test_generated_files_pass_the_inspector(tmp_path):
    from nwbinspector import inspect_nwbfile

    for instrument in ("perfect", "two_photon"):
        path = tmp_path / f"{instrument}.nwb"
        generate(ToyChain(), instrument, **PLAN, out=path)
        assert [m.message for m in inspect_nwbfile(path)] == []


def test_the_same_seed_gives_the_same_data_and_another_seed_other_data(tmp_path):
    first, again = (generate(ToyChain(), **PLAN, out=tmp_path / f"{k}.zarr") for k in "ab")
    xr.testing.assert_identical(first, again)
    other = generate(ToyChain(), **{**PLAN, "seed": 1}, out=tmp_path / "c.zarr")
    assert other.sizes["spike"] != first.sizes["spike"] or (other["spike_time"] != first["spike_time"]).any()


@pytest.mark.parametrize("instrument", ["perfect", "two_photon"])
def test_the_same_seed_gives_nwb_files_of_the_same_bytes_and_another_seed_others(instrument, tmp_path):
    for name, seed in (("a", SEED), ("b", SEED), ("c", 1)):
        generate(ToyChain(), instrument, **{**PLAN, "seed": seed}, out=tmp_path / f"{name}.nwb")
    first, again, other = ((tmp_path / f"{name}.nwb").read_bytes() for name in "abc")
    assert first == again
    assert first != other


def test_names_serve_as_well_as_objects(tmp_path):
    register(ToyChain, replace=True)
    by_name = generate("toy_chain", "perfect", **PLAN, out=tmp_path / "a.zarr")
    xr.testing.assert_identical(by_name, generate(ToyChain(), **PLAN, out=tmp_path / "b.zarr"))


def test_truth_of_a_rival_says_that_there_are_no_edges(tmp_path):
    generate(ToyRival(), **PLAN, out=tmp_path / "d.zarr", truth=tmp_path / "t.json")
    assert not read_truth(tmp_path / "t.json")[1]["connectivity/units"]["weight"].any()


def test_the_json_truth_is_plain_json(tmp_path):
    made(tmp_path)
    whole = json.loads((tmp_path / "t.json").read_text(), parse_constant=lambda c: pytest.fail(f"{c} is no JSON"))
    assert set(whole) == {"origin", "truths"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"out": "d.mat"}, r"out must end in \.nwb or \.zarr"),
        ({"truth": "t.csv"}, r"truth must end in \.json or \.zarr"),
        ({"out": "no/d.nwb"}, "make .*no first"),
        ({"instrument": Ideal()}, "must record, got the stimulator 'ideal'"),
        ({"trials": 0}, "trials must be a whole number >= 1"),
        ({"duration": -1.0}, "duration must be > 0 s"),
        ({"instrument": Subsample(7)}, "at most the subject's 6 neurons, got 7"),
    ],
)
def test_impossible_requests_say_so_and_leave_no_file(changed, message, tmp_path):
    paths = {"out": tmp_path / changed.get("out", "d.nwb"), "truth": tmp_path / changed.get("truth", "t.json")}
    with pytest.raises(SimlabError, match=message):
        generate(ToyChain(), **{**PLAN, **changed, **paths})
    assert list(tmp_path.iterdir()) == []


def test_unknown_names_list_what_there_is(tmp_path):
    with pytest.raises(RegistryError, match=r"there are:.*balanced_ei"):
        generate("no_such_circuit", **PLAN, out=tmp_path / "d.nwb")
