"""Grids become cells: each fitting combination once, rivals and ceilings marked, keys that depend on what counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from toys import LagCorrelation, PulseAndCount, ToyChain, ToyRival

from simlab.contracts import SimlabError
from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.stimulating.ideal import Ideal
from simlab.instruments.stimulating.optogenetics import Optogenetics

GRID = Grid(
    circuits=(ToyChain(),),
    rivals=(ToyRival(),),
    plans=(Plan(10, 1.0), Plan(20, 1.0)),
    instruments=(Perfect(), Subsample(4)),
    methods=(LagCorrelation(),),
    baselines=False,
)


def experiment(*grids: Grid, **changes) -> Experiment:
    return Experiment("e", "?", grids, **{"subjects": 3, **changes})


def test_a_grid_is_the_product_of_its_parts():
    cells = list(experiment(GRID).cells())
    assert len(cells) == 2 * 3 * 2 * 2  # circuit and rival, subjects, plans, instruments
    assert {c.role for c in cells} == {"circuit", "rival"}
    assert all(c.candidates == ("toy_chain", "toy_rival") for c in cells)


def test_a_cell_that_two_grids_share_is_run_once():
    assert len(list(experiment(GRID, replace(GRID, plans=GRID.plans[:1])).cells())) == len(
        list(experiment(GRID).cells())
    )


def test_baselines_are_added_once_for_each_question():
    cells = list(experiment(replace(GRID, baselines=True)).cells())
    names = {c.method.name for c in cells}
    assert names == {"lag_correlation", "baseline:oracle", "baseline:random", "baseline:marginals_only"}


def test_a_ceiling_uses_the_perfect_instrument_and_ample_data():
    cells = [
        c for c in experiment(replace(GRID, ceiling=Plan(99, 1.0), ceiling_subjects=2)).cells() if c.role == "ceiling"
    ]
    assert len(cells) == 2
    assert {c.instrument.name for c in cells} == {"perfect"}
    assert {c.plan.trials for c in cells} == {99}


def test_an_active_method_meets_every_stimulator_and_budget_of_pulses():
    grid = replace(
        GRID,
        methods=(PulseAndCount(), LagCorrelation()),
        stimulators=(Ideal(), Optogenetics()),
        perturbations=(4, None),
    )
    cells = list(experiment(grid, subjects=1).cells())
    active = [c for c in cells if c.active]
    assert len(active) == 2 * 2 * 2 * 4
    assert len(cells) - len(active) == 2 * 2 * 2
    assert {c.budget.perturbations for c in active if c.plan.trials == 20} == {4, 20}


def test_a_method_meets_only_circuits_that_answer_its_question():
    class Other(LagCorrelation):
        question = "topology"

    assert list(experiment(replace(GRID, methods=(Other(),))).cells()) == []


def test_keys_depend_on_all_that_the_result_depends_on():
    cell = next(iter(experiment(GRID).cells()))
    variants = [
        cell.key(1),
        cell.key(2),
        replace(cell, subject=1).key(1),
        replace(cell, plan=Plan(11, 1.0)).key(1),
        replace(cell, circuit=ToyChain(rate=11.0)).key(1),
        replace(cell, instrument=Subsample(3)).key(1),
        replace(cell, method=LagCorrelation(width=0.002)).key(1),
        replace(cell, candidates=("toy_chain",)).key(1),
    ]
    assert len(set(variants)) == len(variants)
    assert replace(cell).key(1) == cell.key(1)


def test_streams_do_not_depend_on_the_source_but_rows_do(monkeypatch):
    cell = next(iter(experiment(GRID).cells()))
    identity, key = cell.identity(), cell.key(1)
    monkeypatch.setattr("simlab.fingerprint.source_hash", lambda cls: "edited")
    assert cell.identity() == identity
    assert cell.key(1) != key


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: Plan(0, 1.0), "trials must be >= 1"),
        (lambda: Plan(1, -1.0), "duration must be > 0"),
        (lambda: replace(GRID, methods=()), "at least one of its methods"),
        (lambda: experiment(GRID, subjects=0), "at least one subject"),
        (lambda: experiment(), "at least one grid"),
    ],
)
def test_impossible_experiments_are_refused_by_rule(make, rule):
    with pytest.raises(SimlabError, match=rule):
        make()
