"""`check` passes what keeps its contract, and names what a broken plug-in breaks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from toys import LagCorrelation, Misbehaving, PulseAndCount, ToyChain, ToyRival, ToySubject

import simlab
from simlab.checks.check import check
from simlab.claims import Claim
from simlab.contracts import Finding, SimlabError
from simlab.data import is_spiking
from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect


def failures(plugin: object) -> str:
    report = check(plugin, raises=False)
    assert not report.ok
    return "\n".join(f"{entry.fact}: {entry.message}" for entry in report.failures)


@dataclass(frozen=True)
class Sound:
    """A method that does all it should."""

    name: ClassVar[str] = "sound"
    question: ClassVar[str] = "connectivity"

    def analyse(self, recording, rng):
        if not is_spiking(recording):
            return Finding.abstain("needs spikes")
        n = recording.sizes["unit"]
        return Finding({"score": rng.random((n, n)), "decided": np.zeros((n, n), bool)})


@pytest.mark.parametrize("plugin", [Sound, Sound(), PulseAndCount(), ToyChain, ToyRival()])
def test_what_keeps_its_contract_passes(plugin):
    report = check(plugin)
    assert report.ok
    assert "FAIL" not in str(report)


@pytest.mark.parametrize("name", ["perfect", "subsample", "electrodes", "two_photon", "ideal", "optogenetics"])
def test_the_built_in_instruments_pass_by_name(name):
    assert check(name).ok


def test_a_method_can_also_be_checked_in_a_process_of_its_own():
    facts = [entry.fact for entry in check(Sound(), strict=True).entries]
    assert "finds the same in a process of its own" in facts


def test_a_failure_raises_with_the_whole_list():
    with pytest.raises(SimlabError, match=r"method misbehaving: .*checks passed(?s:.*)FAIL .*NaN"):
        check(Misbehaving("nan"))


def test_a_method_that_fails_on_fluorescence_is_told_to_abstain():
    assert "fluorescence: SimlabError: binning needs spikes" in failures(LagCorrelation())


def test_a_method_that_changes_its_recording_or_draws_elsewhere_is_found_out():
    @dataclass(frozen=True)
    class Careless(Sound):
        def analyse(self, recording, rng):
            finding = super().analyse(recording, np.random.default_rng())
            recording["unit_x"].values[0] = 1.0
            return finding

    found = failures(Careless())
    assert "leaves its recording as it was" in found
    assert "draw only from the given rng" in found


def test_what_is_no_frozen_dataclass_is_found_out():
    class Loose(Sound):
        def __init__(self) -> None:
            self.x = 1

    @dataclass
    class Thawed:
        question: ClassVar[str] = "nothing known"

        def analyse(self, recording, rng):
            return Finding.abstain("no")

    assert "question must be one of connectivity" in failures(Thawed())
    assert "is a frozen dataclass" in failures(Thawed())
    assert "has a name" in failures(Thawed())


def test_a_circuit_that_breaks_its_word_is_found_out():
    class Liar(ToySubject):
        def run(self, session, rng):
            return super().run(session, np.random.default_rng())

        def truth(self, question):
            if question == "mechanism":
                return super().truth(question).assign(label="another")
            return super().truth("connectivity") + np.eye(6)

    @dataclass(frozen=True)
    class Broken(ToyChain):
        rivals: ClassVar[tuple[str, ...]] = ("no_such_rival",)

        def subject(self, rng):
            made = ToyChain.subject(self, rng)
            return Liar(self, made.order, rng.uniform(size=(6, 3)))

    found = failures(Broken())
    for rule in (
        "no_such_rival",
        "zero diagonal",
        "label must be the circuit's name",
        "same stream gave other activity",
    ):
        assert rule in found
    assert "truth('no such question') must raise a LookupError" in found


def test_an_instrument_that_names_neurons_is_found_out():
    @dataclass(frozen=True)
    class Leaky(Perfect):
        def implant(self, anatomy, rng):
            implant = super().implant(anatomy, rng)
            return LeakyImplant(implant.chosen, implant.key * 1.5, implant.units)

    class LeakyImplant(type(Perfect().implant(simlab.checks.problem.tissue(3), np.random.default_rng()))):
        def record(self, activity, rng):
            return super().record(activity, rng).assign_attrs(circuit="it was me")

    found = failures(Leaky())
    assert "carries ['circuit']" in found
    assert "must sum to at most 1, got 1.5" in found


def an_experiment(**changes) -> Experiment:
    grid = Grid((ToyChain(),), (Plan(2, 1.0),), (Perfect(),), (Sound(),), rivals=(ToyRival(),))
    claim = Claim("order", "it holds", "analytic", lambda table: table["auroc"].mean(), (0.5, 1.0))
    return Experiment("toy", "Does it?", (grid,), (claim,), **changes)


def test_an_experiment_passes_and_a_claim_without_source_does_not():
    assert check(an_experiment()).ok
    unsourced = replace(an_experiment(), claims=(replace(an_experiment().claims[0], source=" "),))
    assert "needs its source" in failures(unsourced)


def test_what_is_no_plugin_is_named():
    with pytest.raises(SimlabError, match="is no plug-in"):
        check(3)
    with pytest.raises(SimlabError, match="nothing is named"):
        check("no_such_plugin")
