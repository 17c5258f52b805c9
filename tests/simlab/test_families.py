"""Families of circuits: drawn from a prior, kept where their activity is plausible, each subject with its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest
from toy_experiment import EXPERIMENT
from toys import LagCorrelation, ToyChain, ToyRival

import simlab
from simlab.contracts import Regime, SimlabError
from simlab.data import activity
from simlab.families import member
from simlab.regimes import departures, measured
from simlab.streams import stream


@dataclass(frozen=True)
class Family(ToyChain):
    """A chain whose rate is drawn from 1 to 40 Hz, of which 5 to 20 are plausible."""

    name: ClassVar[str] = "toy_family"
    regime: ClassVar[Regime] = Regime("nobody", rate=(5.0, 20.0))

    def prior(self, rng: np.random.Generator) -> Family:
        return replace(self, rate=float(rng.uniform(1, 40)))


@dataclass(frozen=True)
class Imitator(ToyRival):
    name: ClassVar[str] = "toy_imitator"
    twin_of: ClassVar[tuple[str, ...]] = ("toy_family",)


GRID = replace(EXPERIMENT.grids[0], plans=(simlab.Plan(10, 1.0),), instruments=("perfect",))


def streams(subject: int) -> Any:
    return lambda *role: stream(1, *role, subject)


def test_a_member_is_plausible_its_own_and_says_how_many_were_not() -> None:
    found = [member(Family(), streams(number)) for number in range(6)]
    rates = [one.circuit.rate for one in found]
    assert len(set(rates)) == 6
    assert all(4 < rate < 22 for rate in rates)
    assert sum(one.rejected for one in found) == sum(len(one.reasons) for one in found) > 0
    assert "outside 5 to 20 Hz" in next(one.reasons[0] for one in found if one.reasons)
    assert found[0] == member(Family(), streams(0))


def test_a_prior_that_is_never_plausible_and_a_circuit_without_one_are_refused() -> None:
    @dataclass(frozen=True)
    class Hopeless(Family):
        regime: ClassVar[Regime] = Regime("nobody", rate=(500.0, 600.0))

    with pytest.raises(SimlabError, match="of 100 draws from the prior of toy_family none stayed in its regime"):
        member(Hopeless(), streams(0))
    with pytest.raises(SimlabError, match="toy_chain has no prior"):
        replace(GRID, circuits=(ToyChain(),), drawn=True)


def test_statistics_of_poisson_units_are_those_of_poisson_and_what_leaves_its_range_is_said() -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(10 * 5, 40)
    neuron = np.repeat(np.arange(40), counts)
    busy = neuron < 36
    spikes = (np.zeros(busy.sum(), int), rng.uniform(0, 5, len(neuron))[busy], neuron[busy])
    from simlab.session import Session

    made = activity(Session(1, 5.0), 40, spikes=spikes)
    found = measured(made, Regime("x"))
    assert found["rate"] == pytest.approx(10, rel=0.1)
    assert found["silent"] == 0.1
    assert found["interval_cv"] == pytest.approx(1, abs=0.1)
    assert found["fano"] == pytest.approx(1, abs=0.1)
    assert abs(found["correlation"]) < 0.03
    said = departures(made, Regime("x", silent=(0, 0.05), rate=(0, 5)))
    assert said == (f"rate {found['rate']:.3g} Hz, outside 0 to 5 Hz", "silent 0.1, outside 0 to 0.05")
    assert departures(made, None) == ()


def test_a_drawn_grid_gives_every_subject_its_own_parameters_and_its_rival_the_same(tmp_path) -> None:
    grid = replace(
        GRID,
        circuits=(Family(n_neurons=4),),
        rivals=(Imitator(),),
        methods=(LagCorrelation(),),
        drawn=True,
        ceiling=None,
    )
    spec = simlab.Experiment("drawn", "?", (grid,), subjects=3)
    table = simlab.run(spec, out=tmp_path / "run", progress=False).table
    own = table[(table["role"] == "circuit") & (table["kind"] == "passive")]
    assert set(own["circuit_label"]) == {"toy_family(n_neurons=4), drawn"}
    assert set(table[table["role"] == "rival"]["twin"]) == {"toy_family(n_neurons=4), drawn"}
    rate = own.groupby("subject")["drawn.rate"].unique()
    assert len(rate.explode().unique()) == 3
    rival = table[table["role"] == "rival"].groupby("subject")["drawn.rate"].unique()
    assert rate.explode().tolist() == rival.explode().tolist()
    assert (own["rejected"] >= 0).all()
    again = simlab.run(spec, out=tmp_path / "again", progress=False).table
    assert again["mcc"].equals(table["mcc"])


def test_a_run_says_where_activity_left_its_regime(tmp_path) -> None:
    grid = replace(GRID, circuits=(Family(rate=50.0),), rivals=(), methods=(LagCorrelation(),))
    table = simlab.run(simlab.Experiment("out", "?", (grid,), subjects=1), out=tmp_path / "run", progress=False).table
    assert table["outside_regime"].str.contains("Hz, outside 5 to 20 Hz").all()
