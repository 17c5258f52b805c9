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
from simlab.questions.connectivity import Connectivity

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
    assert all(c.family == ("chain", "no chain") for c in cells)


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


def test_different_interventions_are_limited_where_a_grid_says_so():
    grid = replace(GRID, methods=(PulseAndCount(), LagCorrelation()), interventions=(3, None))
    cells = list(experiment(grid, subjects=1).cells())
    active = [c for c in cells if c.active]
    assert len(active) == 2 * (len(cells) - len(active))
    assert {c.budget.interventions for c in active} == {3, float("inf")}
    unlimited = list(experiment(replace(grid, interventions=(None,)), subjects=1).cells())
    kept = {c.identity() for c in unlimited}
    assert kept == {c.identity() for c in cells if c.interventions is None}
    assert {c.interventions for c in cells if c.identity() not in kept} == {3}


def test_a_method_that_meets_no_circuit_of_its_grid_is_an_error():
    class Other(LagCorrelation):
        question = "topology"

    with pytest.raises(SimlabError, match="meets no circuit of its grid: none of toy_chain knows the true topology"):
        replace(GRID, methods=(Other(),))


def test_a_method_that_asks_what_nobody_registered_is_an_error_before_anything_is_run():
    class Stranger(LagCorrelation):
        question = "colour"

    said = r"asks 'colour', but the questions are assemblies, branching_ratio, cell_type.*simlab\.questions"
    with pytest.raises(SimlabError, match=said):
        replace(GRID, methods=(Stranger(),))


def test_every_circuit_can_be_asked_for_its_mechanism():
    class Namer(LagCorrelation):
        question = "mechanism"

    cells = list(experiment(replace(GRID, methods=(Namer(),)), subjects=1).cells())
    assert {c.circuit.name for c in cells} == {"toy_chain", "toy_rival"}


def test_a_rival_follows_its_circuit():
    """A chain of 4 never meets a rival of 6: whatever value the grid gives, the rival imitates the circuit."""
    grid = replace(
        GRID, circuits=(ToyChain(n_neurons=4), ToyChain(n_neurons=9, rate=3.0)), rivals=(ToyRival(n_neurons=6),)
    )
    rivals = {
        (c.circuit.n_neurons, c.circuit.rate, c.label_of(c.twin)) for c in experiment(grid).cells() if c.role == "rival"
    }
    assert rivals == {(4, 10.0, "toy_chain(n_neurons=4)"), (9, 3.0, "toy_chain(n_neurons=9, rate=3)")}


def test_the_built_in_rivals_take_the_size_and_model_of_their_circuits():
    from circuits.attractors.ring_attractor import RingAttractor
    from circuits.networks.balanced_ei import BalancedEI

    small = BalancedEI(n_neurons=20)
    grid = Grid((small,), (Plan(1, 1.0),), (Perfect(),), (LagCorrelation(),), ("common_drive", "independent_poisson"))
    assert [rival.like for rival, _ in grid.imitations()] == [small, small]
    ring = RingAttractor(n_excitatory=40, model="rate")
    grid = Grid((ring,), (Plan(1, 1.0),), (Perfect(),), (LagCorrelation(),), ("feedforward_ring",))
    assert grid.imitations()[0][0].ring == ring


def test_a_rival_that_imitates_no_circuit_of_the_grid_stays_as_it_is():
    class Stranger(ToyChain):
        name = "stranger"
        twin_of = ("balanced_ei",)

    assert replace(GRID, rivals=(Stranger(),)).imitations() == [(Stranger(), None)]


def test_parts_may_be_given_by_name():
    grid = Grid(("coupled_rates",), (Plan(1, 1.0),), ("perfect",), ("spike_count_correlation",))
    assert [type(part).__name__ for part in (*grid.circuits, *grid.instruments, *grid.methods)] == [
        "CoupledRates", "Perfect", "SpikeCountCorrelation",
    ]  # fmt: skip


def test_the_names_of_rows_depend_on_all_that_the_result_depends_on():
    cell = next(iter(experiment(GRID).cells()))
    variants = [
        cell.digest(1),
        cell.digest(2),
        replace(cell, subject=1).digest(1),
        replace(cell, plan=Plan(11, 1.0)).digest(1),
        replace(cell, circuit=ToyChain(rate=11.0)).digest(1),
        replace(cell, instrument=Subsample(3)).digest(1),
        replace(cell, method=LagCorrelation(width=0.002)).digest(1),
        replace(cell, family=("chain",)).digest(1),
        replace(cell, question=Connectivity(least_mcc=0.4)).digest(1),
    ]
    assert len(set(variants)) == len(variants)
    assert replace(cell).digest(1) == cell.digest(1)


def test_what_a_cell_is_does_not_depend_on_the_code_but_its_row_does(monkeypatch):
    cell = next(iter(experiment(GRID).cells()))
    identity, digest = cell.identity(), cell.digest(1)
    monkeypatch.setattr("simlab.experiment.code_hash", lambda cls: "edited")
    assert cell.identity() == identity
    assert cell.digest(1) != digest


def test_criteria_of_the_experiment_reach_its_cells():
    lenient = Connectivity(least_mcc=0.1)
    cells = experiment(GRID, questions=(lenient,)).cells()
    assert all(cell.asked is lenient for cell in cells)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: Plan(0, 1.0), r"trials must be a whole number in 1\.\."),
        (lambda: Plan(1, -1.0), "duration must be a number in 0.001"),
        (lambda: replace(GRID, methods=()), "at least one of its methods"),
        (lambda: experiment(GRID, subjects=0), r"subjects must be a whole number in 1\.\."),
        (lambda: experiment(), "at least one of its grids"),
    ],
)
def test_impossible_experiments_are_refused_by_rule(make, rule):
    with pytest.raises(SimlabError, match=rule):
        make()


class Loose:
    """A method whose parameters nobody can see: two of them would be pooled as one."""

    name, question = "loose", "connectivity"

    def __init__(self, width):
        self.width = width

    def analyse(self, recording, rng): ...


def test_a_part_with_parameters_that_is_no_dataclass_is_refused_with_the_fix():
    with pytest.raises(SimlabError, match=r"write @dataclass\(frozen=True\) above Loose"):
        replace(GRID, methods=(Loose(1.0), Loose(2.0)))
