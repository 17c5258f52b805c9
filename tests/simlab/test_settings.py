"""Parameters in words: what `--set` means, to whom, and what an experiment becomes by it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import toy_experiment
from toys import LagCorrelation, ToyChain

from simlab.contracts import SimlabError
from simlab.experiment import Plan
from simlab.instruments.recording.electrodes import Electrodes
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.recording.two_photon import TwoPhoton
from simlab.registry import get
from simlab.running.loop import run
from simlab.settings import literal, parsed, placed, with_changes
from simlab.store.results import Results
from simlab.variation import varied

TOY = toy_experiment.EXPERIMENT


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("30", 30), ("-1.5e-3", -0.0015), ("True", True), ("false", False), ("None", None), ("gcamp6s", "gcamp6s"),
        ("'30'", "30"), ("[1, 2.5]", (1, 2.5)), ("(1, (2, 3))", (1, (2, 3))), ("1 +", "1 +"), ("9" * 5000, "9" * 5000),
    ],
)  # fmt: skip
def test_a_value_is_a_literal_or_a_string(text, value):
    assert literal(text) == value
    assert type(literal(text)) is type(value)


@pytest.mark.parametrize("text", ["", "=", "n_units", "n_units=", ".n=3", "a..b=3", "a b=3", "1a=3", "__=\n"])
def test_what_is_no_setting_is_refused(text):
    with pytest.raises(SimlabError, match="must read field=value"):
        parsed(text)


def test_a_value_may_hold_an_equals_sign_or_a_dot():
    assert parsed("indicator=a=b.c").value == "a=b.c"


def test_a_bare_field_means_the_one_part_that_has_it():
    parts = {"toy_chain": [ToyChain], "subsample": [Subsample]}
    assert placed(["n_units=3", "circuit.rate=5"], parts, {"circuit": "toy_chain"}) == {
        "subsample": {("n_units",): 3}, "toy_chain": {("rate",): 5},
    }  # fmt: skip
    with pytest.raises(SimlabError, match=r"set subsample\.n_units or two_photon\.n_units"):
        placed(["n_units=3"], parts | {"two_photon": [TwoPhoton]})


def test_fields_that_depend_on_one_another_are_set_together():
    ring = get("circuits", "ring_attractor")
    changed = with_changes(ring, {("reset",): -0.04, ("threshold",): -0.03})
    assert (changed.reset, changed.threshold) == (-0.04, -0.03)


def test_whole_numbers_become_floats_where_those_are_so_that_the_cell_is_the_same():
    assert repr(with_changes(ToyChain, {("rate",): 5}).rate) == "5.0"
    assert repr(with_changes(ToyChain(), {("rate",): float("inf")}).rate) == "inf"


def test_a_part_within_a_part_is_set_by_its_path_and_replaced_by_its_name():
    pipeline = get("methods", "pipeline")
    assert with_changes(pipeline, {("method", "alpha"): 0.2}).method.alpha == 0.2
    assert with_changes(pipeline, {("method",): "cross_correlogram"}).method.name == "cross_correlogram"


def test_an_experiment_is_changed_wherever_the_part_stands():
    changed = varied(TOY, ["toy_chain.n_neurons=5", "lag_correlation.width=0.004", "trials=7", "time_limit=9"])
    grid = changed.grids[0]
    assert [c.n_neurons for c in grid.circuits] == [5]
    assert [rival.n_neurons for rival, _ in grid.imitations()] == [5]  # matched to the circuit as it now is
    assert grid.methods[0] == LagCorrelation(0.004)
    assert grid.methods[1].width == 0.003
    assert grid.plans == (Plan(7, 1.0),)  # two that became the same are one
    assert changed.time_limit == 9.0
    assert TOY.grids[0].plans == (Plan(20, 1.0), Plan(200, 1.0))


def test_objects_that_cells_share_stay_shared():
    twice = replace(TOY, grids=TOY.grids * 2)
    one, two = varied(twice, ["toy_chain.rate=5"]).grids
    assert one.circuits[0] is two.circuits[0]


def test_a_questions_criterion_is_set_for_a_run():
    (asked,) = varied(TOY, ["connectivity.least_mcc=0.9"]).questions
    assert asked.least_mcc == 0.9


def test_a_rivals_field_that_its_circuit_decides_is_refused_and_others_are_taken():
    with pytest.raises(SimlabError, match="is decided by toy_chain, which it imitates: it stays 6"):
        varied(TOY, ["toy_rival.n_neurons=9"])
    assert varied(TOY, ["toy_rival.coupling=0.1"]).grids[0].imitations()[0][0].coupling == 0.1


@pytest.mark.parametrize("instrument", [Electrodes(), TwoPhoton()])
def test_a_grid_with_a_circuit_that_an_instrument_cannot_see_is_refused(instrument):
    grid = replace(TOY.grids[0], instruments=(Subsample(4), instrument))  # toys do not say what they give
    ring = get("circuits", "ring_attractor")
    with pytest.raises(SimlabError, match="needs spikes, and the circuit ring_attractor has rate alone"):
        replace(grid, circuits=(ring(model="rate"),))
    assert replace(grid, circuits=(ring(),)).circuits[0].modalities == ("spikes",)


def test_a_changed_run_goes_on_and_is_opened_with_its_settings(tmp_path):
    file, settings = toy_experiment.__file__, ("subsample.n_units=3", "plan.trials=10")
    first = run(file, tmp_path / "run", subjects=1, archive=False, settings=settings)
    assert set(first.table["trials"]) == {10}
    assert first.provenance["settings"] == list(settings)
    again = run(file, tmp_path / "run", archive=False, resume=True)  # --set need not be said again
    assert set(again.table["cell"]) == set(first.table["cell"])
    assert Results(tmp_path / "run").spec.grids[0].instruments[1] == Subsample(3)
    with pytest.raises(SimlabError, match="a resumed run keeps its settings"):
        run(file, tmp_path / "run", archive=False, resume=True, settings=["plan.trials=11"])


def test_of_many_parts_a_mistake_names_the_parts_and_not_all_of_their_parameters() -> None:
    from simlab.loading import load_experiment

    with pytest.raises(SimlabError, match=r"of balanced_ei, .*`simlab show NAME` lists them") as refused:
        varied(load_experiment("first_light"), ["nonesuch=3"])
    assert len(str(refused.value)) < 500
