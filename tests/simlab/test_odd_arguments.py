"""Odd arguments of Experiment, Grid, Plan, Budget, Claim and run are refused by rule, value and fix."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pytest
from odd_values import INF, NAN
from toys import LagCorrelation, ToyChain, ToyRival

import simlab
from simlab import registry
from simlab.claims import Claim
from simlab.contracts import Budget, SimlabError
from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.stimulating.ideal import Ideal
from simlab.questions.connectivity import Connectivity

PLAN = Plan(2, 1.0)
GRID = Grid((ToyChain(),), (PLAN,), (Perfect(),), (LagCorrelation(),), rivals=(ToyRival(),), baselines=False)
CLAIM = Claim("c", "It is so.", "here", lambda table: 1.0, (0.0, 1.0))
SPEC = Experiment("e", "?", (GRID,), (CLAIM,), subjects=1)
WHOLE = (0, -1, 1.5, True, "2", None, NAN, INF, 10**9, (), np.float64(2))
SECONDS = (0, -1.0, True, "2", None, NAN, INF, 1e9, (), np.zeros(2))


def cases(make, **odd):
    """(function, change, what its name is) for each odd value."""
    return [(make, {name: value}) for name, values in odd.items() for value in values]


def parts(*others):
    return ((), None, 3, "nonsense", ("nonsense",), (3,), (None,), ({},), *others)


PLANS = cases(lambda **odd: replace(PLAN, **odd), trials=WHOLE, duration=SECONDS)
GRIDS = cases(
    lambda **odd: replace(GRID, **odd),
    circuits=parts((ToyChain,), ToyChain(), (Perfect(),), (ToyChain(), ToyChain()), ("perfect",)),
    rivals=parts((ToyRival,), ToyRival(), (Perfect(),), (ToyRival(), ToyRival()))[1:],
    plans=parts((Plan,), PLAN, (PLAN, PLAN), ((2, 1.0),), "plan"),
    instruments=parts((Perfect,), Perfect(), (Ideal(),), (Perfect(), Perfect()), (ToyChain(),)),
    methods=parts((LagCorrelation,), LagCorrelation(), (Perfect(),), (LagCorrelation(), LagCorrelation())),
    stimulators=((), None, 3, "ideal", (3,), (Ideal,), (Perfect(),), (Ideal(), Ideal())),
    perturbations=((), None, 3, (-1,), (1.5,), (True,), ("2",), (NAN,), (INF,), (2, 2)),
    interventions=((), None, 3, (-1,), (1.5,), ("2",), (INF,), (2, 2)),
    ceiling=(Plan, (2, 1.0), 3, "plan"),
    ceiling_subjects=(0, -1, 1.5, True, "2", NAN),
    baselines=(None, 2, "yes", ()),
)
EXPERIMENTS = cases(
    lambda **odd: replace(SPEC, **odd),
    name=("", " ", "a/b", "..", "a b", "a\n", "\0", "\ud800", None, 3, True, ("a",), "x" * 101, "-x"),
    asks=(None, 3, ("?",)),
    grids=((), None, GRID, (3,), (Grid,), (None,), (SPEC,)),
    claims=(None, CLAIM, ("it is so",), (Claim,), (3,), (CLAIM, CLAIM), (lambda table: 1.0,)),
    subjects=WHOLE,
    seed=(NAN, INF, 1.5, True, None, "", " ", (), b"x", np.zeros(1)),
    questions=(None, Connectivity(), (Connectivity,), ("connectivity",), (3,), (Connectivity(), Connectivity())),
    time_limit=SECONDS,
    memory_limit=(0, -1, 4, True, "4", None, NAN, INF, 1e9, 10**20),
    notes=(None, 3),
)
BUDGETS = cases(
    Budget,
    trials=(-1, NAN, "2", None, True), seconds=(-1, NAN, "2"), perturbations=(-1, NAN, "2"),
    interventions=(-1, NAN, "2"),
)  # fmt: skip
CLAIMS = cases(
    lambda **odd: replace(CLAIM, **odd),
    name=("", None, 3), measure=(None, 1.0), band=(None, 1.0, (1.0, 0.0), (NAN, 1.0), (0.0,), ("a", "b"), ()),
)  # fmt: skip


@pytest.mark.parametrize(
    "made",
    [PLANS, GRIDS, EXPERIMENTS, BUDGETS, CLAIMS],
    ids=["plans", "grids", "experiments", "budgets", "claims"],
)
def test_an_odd_argument_is_refused_by_name(made):
    for make, odd in made:
        (name,) = odd
        with pytest.raises(SimlabError, match=f"{name}|no [a-z]+ named"):
            pytest.fail(f"{odd} was accepted: {make(**odd)}")


class Submitter:
    """No executor."""


RUNS = cases(
    lambda **odd: simlab.run(**{"experiment": SPEC, "out": "run", **odd}),
    experiment=(None, 3, Experiment, GRID, ("e",)),
    out=("", 3, True, "a_file", "a_file/inside", "nul\0"),
    subjects=(0, -1, 1.5, True, "2", NAN, 10**9),
    workers=(0, -1, 1.5, True, "2", NAN, 10**6),
    executor=(3, "dask", Submitter(), ThreadPoolExecutor),
    strict=("yes", 1),
    resume=(None, "yes", 1),
    seed=(NAN, 1.5, True, "", ()),
    archive=(3, NAN, "", "a_file"),
    progress=(3, "bar"),
    say=(3, "loud", True),
)


def test_an_odd_argument_of_run_is_refused_by_name_and_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a_file").write_text("mine")
    for make, odd in RUNS:
        (name,) = odd
        with pytest.raises(SimlabError, match=name):
            pytest.fail(f"{odd} was accepted: {make(**odd)}")
    with ThreadPoolExecutor(1) as executor, pytest.raises(SimlabError, match="workers and executor exclude"):
        simlab.run(SPEC, out="run", workers=2, executor=executor)
    assert os.listdir(tmp_path) == ["a_file"]
    assert (tmp_path / "a_file").read_text() == "mine"


def test_there_are_more_cases_than_in_the_attack_that_found_them():
    assert len(PLANS + GRIDS + EXPERIMENTS + BUDGETS + CLAIMS + RUNS) >= 151


def test_what_is_meant_well_is_taken():
    lists = replace(GRID, circuits=[ToyChain()], plans=[PLAN], instruments=["perfect"], stimulators=["ideal", None])
    assert (lists.circuits, lists.plans) == ((ToyChain(),), (PLAN,))
    assert isinstance(lists.stimulators[0], Ideal)
    assert replace(PLAN, trials=np.int64(3)) == Plan(3, 1.0)
    assert type(replace(PLAN, trials=np.int64(3)).trials) is int
    assert Budget() == Budget(INF, INF, INF, INF)
    assert replace(SPEC, seed="word", questions=[Connectivity()]).questions == (Connectivity(),)


@dataclass(frozen=True)
class Foreign:
    """A stranger's instrument: annotations, and neither rules nor checks of its own."""

    name = "foreign"
    n_units: int = 5
    gain: float | None = None
    anything: NoSuchThing = 3  # type: ignore[name-defined]  # noqa: F821

    def implant(self, anatomy, rng):
        return Subsample(self.n_units).implant(anatomy, rng)


def test_a_stranger_s_plug_in_is_held_to_the_types_that_it_declares():
    assert replace(GRID, instruments=(Foreign(2, 1.0, "x"),)).instruments == (Foreign(2, 1.0, "x"),)
    with pytest.raises(SimlabError, match="foreign: n_units must be a whole number, got '5': write 5 without quotes"):
        replace(GRID, instruments=(Foreign("5"),))
    registry.register(Foreign, replace=True)
    with pytest.raises(SimlabError, match="foreign: gain must be a number or None, got True: the default is None"):
        registry.create("instruments", "foreign", gain=True)


def test_a_check_says_where_a_default_is_not_what_its_annotation_says():
    @dataclass(frozen=True)
    class Sloppy(Foreign):
        name = "sloppy"
        rate: float = None

    report = simlab.check(Sloppy(), raises=False)
    assert "rate must be a number, got None" in str(report)
