"""`check` passes what keeps its contract, and names what a broken plug-in breaks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import ClassVar

import numpy as np
import pytest
from toys import LagCorrelation, Misbehaving, PulseAndCount, ToyChain, ToyRival, ToySubject

import simlab
from methods.population.persistent_homology import PersistentHomology
from simlab import registry
from simlab.checks.check import check
from simlab.claims import Claim
from simlab.contracts import Finding, Needs, Picture, SimlabError, Variable
from simlab.data import modality
from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.registry import create, names


def failures(plugin: object) -> str:
    report = check(plugin, raises=False)
    assert not report.ok
    return "\n".join(f"{entry.fact}: {entry.message}" for entry in report.failures)


@dataclass(frozen=True)
class Sound:
    """A method that does all it should."""

    name: ClassVar[str] = "sound"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "guessing"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",))

    def analyse(self, recording, rng):
        n = recording.sizes["unit"]
        return Finding({"score": rng.random((n, n)), "decided": np.zeros((n, n), bool)})


@pytest.fixture
def toy_chain_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._registered["circuits"], "toy_chain", ToyChain)


@pytest.mark.usefixtures("toy_chain_is_known")
@pytest.mark.parametrize("plugin", [Sound, Sound(), PulseAndCount(), ToyChain, ToyRival()])
def test_what_keeps_its_contract_passes(plugin):
    report = check(plugin)
    assert report.ok
    assert "FAIL" not in str(report)


@pytest.mark.parametrize(
    "name",
    [
        "perfect",
        "subsample",
        "electrodes",
        "two_photon",
        "bold",
        "connectome",
        "ideal",
        "optogenetics",
        "two_photon_optogenetics",
        "cooling",
        "microstimulation",
        "pharmacology",
        "lesion",
    ],
)
def test_the_built_in_instruments_pass_by_name(name):
    assert check(name).ok


COARSE = {"n_points": 80, "n_points_voids": 40, "n_shuffles": 3}
FEWER = {
    "genie3": {"trees": 4, "null_size": 40},
    "gridness": {"n_surrogates": 1},
    "fourier_hexagon": {"n_surrogates": 1},
    "lattice_model": {"n_surrogates": 1},
    "cohomology_by_subsampling": {"n_points": 120, "n_points_voids": 40},
    "denoised_homology": COARSE,
    "persistent_homology": COARSE,
    "dimension_and_homology": {"homology": PersistentHomology(**COARSE)},
    "hidden_markov": {"rounds": 5},
    "gpfa": {"iterations": 5},
    "generalised_transfer_entropy": {"surrogates": 5},
    "bycycle_bursts": {"n_surrogates": 3, "band": (12.0, 30.0)},
    "hidden_markov_latents": {"sizes": (2, 4), "restarts": 1, "rounds": 4, "draws": 3},
    "convergent_cross_mapping": {"points": 300, "surrogates": 10},
    "switching_lds": {"rounds": 5},
    "sparse_autoencoder": {"steps": 400},
    "selected_dictionary": {"steps": 40, "penalties": (0.03, 0.1)},
    "poisson_lds": {"iterations": 2},
    "spike_field_ppc": {"n_frequencies": 12},
}
"""Repetitions that a method is slow with."""


DEAR = ("conditional_independence", "pulse_fate", "spectral_granger", "step_or_ramp")
"""Methods that take long whatever they are given."""

OPTIONAL = {"pcmci": "tigramite"}
"""Methods whose library is in no environment of ours: it is under another licence."""


def marks(name: str) -> tuple[pytest.MarkDecorator, ...]:
    absent = name in OPTIONAL and find_spec(OPTIONAL[name]) is None
    return (*([pytest.mark.slow] if name in DEAR else ()), *([pytest.mark.skip("no library")] if absent else ()))


@pytest.mark.parametrize("name", [pytest.param(name, marks=marks(name)) for name in names("methods")])
def test_the_built_in_methods_pass(name):
    assert check(create("methods", name, **FEWER.get(name, {}))).ok


def test_a_method_can_also_be_checked_in_a_process_of_its_own():
    facts = [entry.fact for entry in check(Sound(), strict=True).entries]
    assert "finds the same in a process of its own" in facts


def test_a_failure_raises_with_the_whole_list():
    with pytest.raises(SimlabError, match=r"method misbehaving: .*checks passed(?s:.*)FAIL .*NaN"):
        check(Misbehaving("nan"))


def test_a_method_that_fails_on_fluorescence_is_told_to_declare_its_need():
    @dataclass(frozen=True)
    class Undemanding(LagCorrelation):
        needs: ClassVar[Needs] = Needs()

    found = failures(Undemanding())
    assert "fluorescence: SimlabError: binning needs spikes" in found
    assert "declare it in needs" in found


def test_a_method_is_not_asked_where_its_needs_are_missing():
    asked = []

    @dataclass(frozen=True)
    class Demanding(Sound):
        def analyse(self, recording, rng):
            asked.append(modality(recording))
            return super().analyse(recording, rng)

    messages = {entry.fact: entry.message for entry in check(Demanding()).entries}
    assert set(asked) == {"spikes"}
    assert "needs spikes, and this recording holds fluorescence" in messages["answers or abstains on fluorescence"]
    assert "one length" in messages["answers or abstains on trials of unequal length"]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"family": ""}, "the kind of analysis it is, such as 'regression'; got ''"),
        ({"library": None}, "whose implementation runs, or 'own'; got None"),
        (
            {"library": "no-such-thing"},
            "an installed distribution (several with ', ' between them), got 'no-such-thing'",
        ),
        ({"needs": ("spikes",)}, "such as simlab.Needs(('spikes',), units=2), got ('spikes',)"),
        ({"needs": Needs("spikes")}, "needs.modalities must be a tuple of names, got 'spikes'"),
        ({"needs": Needs(units=0)}, "needs.units must be a whole number >= 1, got 0"),
        ({"needs": Needs(seconds=-1.0)}, "needs.seconds must be >= 0 s, got -1.0"),
    ],
)
def test_a_method_that_declares_nothing_or_nonsense_is_found_out(changes, rule):
    assert rule in failures(dataclass(frozen=True)(type("Vague", (Sound,), changes))())


def test_a_method_may_stand_on_several_libraries():
    mixed = dataclass(frozen=True)(type("Mixed", (Sound,), {"library": "numpy, scipy"}))
    assert check(mixed()).ok


def test_a_method_of_a_closed_question_gets_its_brief():
    briefs = []

    @dataclass(frozen=True)
    class Named(Sound):
        question: ClassVar[str] = "mechanism"

        def analyse(self, recording, rng):
            briefs.append(recording.attrs["brief"])
            return Finding({"label": recording.attrs["brief"]["candidates"][0]})

    assert check(Named()).ok
    assert {"ring attractor", "feedforward"} <= set(briefs[0]["candidates"])


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

    assert "question must be one of assemblies, branching_ratio, cell_type" in failures(Thawed())
    assert "is a frozen dataclass" in failures(Thawed())
    assert "has a name" in failures(Thawed())


def test_a_circuit_that_breaks_its_word_is_found_out():
    class Liar(ToySubject):
        def run(self, session, rng):
            return super().run(session, np.random.default_rng())

        def truth(self, question, activity, rng):
            return super().truth("connectivity", activity, rng) + np.eye(6)

    @dataclass(frozen=True)
    class Broken(ToyChain):
        mechanism: ClassVar[str] = "toy_chain"
        twin_of: ClassVar[tuple[str, ...]] = ("no_such_circuit",)

        def subject(self, rng):
            made = ToyChain.subject(self, rng)
            return Liar(self, made.order, rng.uniform(size=(6, 3)))

    found = failures(Broken())
    for rule in (
        "twin_of names ['no_such_circuit']",
        "zero diagonal",
        "must be a class of explanation",
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


@pytest.mark.parametrize("name", names("questions"))
def test_every_question_of_the_house_passes(name):
    assert check(name).ok


def test_a_question_that_breaks_its_contract_gets_rule_received_and_fix():
    @dataclass(frozen=True)
    class Muddled:
        name: ClassVar[str] = "muddled"
        form: ClassVar[dict] = {"score": ("pre", "post"), "kind": Variable((), "colour")}
        truth_form: ClassVar[dict] = {}
        metrics: ClassVar[tuple[str, ...]] = ("mcc",)
        headline: ClassVar[str] = "auroc"
        picture: ClassVar[Picture] = Picture("sculpture", answer="score", truth="weight")

        def score(self, finding, truth):
            return {}

        def false_recovery(self, finding, truth):
            return False

        def baselines(self):
            return {"oracle": print}

    found = failures(Muddled())
    for rule in (
        "form['score'] must be a simlab.Variable, got ('pre', 'post')",
        "truth_form must map the names of variables",
        "brief, project, recovered, chance is missing",
        "headline must be one of the metrics mcc, got 'auroc'",
        "picture.kind must be one of matrix",
        "missing: random, marginals_only",
    ):
        assert rule in found
