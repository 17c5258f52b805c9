"""What `simlab show` prints tells a newcomer what a plug-in is, needs, answers and imitates."""

from __future__ import annotations

import pytest

from simlab.contracts import SimlabError
from simlab.describe import description
from simlab.naming import kind_of, name_of
from simlab.questions.connectivity import Connectivity
from simlab.registry import create, find, get, question, rivals_of


def shown(name: str) -> str:
    kind, plugin = find(name)
    return description(name, kind, plugin)


def test_a_circuit_shows_its_mechanism_truths_and_rivals():
    printed = shown("ring_attractor")
    assert "mechanism: ring attractor" in printed
    assert "truths: connectivity, topology, dynamics, mechanism" in printed
    assert "rivals: cue_ring, feedforward_ring, independent_tuned" in printed
    assert "imitates: none" in printed


def test_a_rival_shows_whom_it_imitates():
    printed = shown("common_drive")
    assert "imitates: balanced_ei" in printed
    assert "rivals: none" in printed


def test_a_question_shows_the_form_of_answer_and_truth():
    printed = shown("connectivity")
    assert "answer: score (pre, post), decided (pre, post) flag" in printed
    assert "p (pre, post) [optional]" in printed
    assert "truth: weight (pre, post)" in printed
    assert "headline: mcc" in printed
    assert "most_false = 0.5" in printed


def test_a_method_shows_family_library_and_needs():
    printed = shown("coupling_glm")
    assert "answers: connectivity" in printed
    assert "family: " in printed
    assert "library: own" in printed
    assert "modalities ('spikes',)" in printed
    assert "works on: a rig (active)" in shown("perturb_and_watch")


def test_what_is_set_is_shown_beside_its_default():
    printed = description("subsample", "instruments", create("instruments", "subsample", n_units=7))
    assert "  n_units = 7 (default 20)  How many neurons" in printed
    assert "default" not in description("subsample", "instruments", create("instruments", "subsample"))


def test_what_a_circuit_gives_and_an_instrument_needs_is_shown():
    assert "activity: rate" in shown("coupled_rates")
    assert "activity: spikes" in shown("ring_attractor")
    rates = create("circuits", "feedforward_ring", ring=create("circuits", "ring_attractor", model="rate"))
    assert "activity: rate" in description("feedforward_ring", "circuits", rates)
    assert "needs: modalities ('spikes',)" in shown("two_photon")
    assert "needs" not in shown("perfect")


def test_an_instrument_shows_whether_it_records_or_stimulates():
    assert "records units" in shown("electrodes")
    assert "stimulates units" in shown("optogenetics")


def test_an_experiment_shows_grids_and_claims():
    printed = shown("first_light")
    assert "circuits: balanced_ei" in printed
    assert "rivals: common_drive, independent_poisson" in printed
    assert "oracle_recovers" in printed


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("balanced_ei", "circuits"), ("perfect", "instruments"), ("ideal", "instruments"), ("coupling_glm", "methods"),
        ("perturb_and_watch", "methods"), ("topology", "questions"), ("first_light", "experiments"),
    ],
)  # fmt: skip
def test_a_plug_in_is_told_by_the_methods_that_it_has(name, kind):
    assert kind_of(find(name)[1]) == kind
    assert name_of(find(name)[1]) == name


def test_rivals_are_found_through_whom_they_imitate():
    assert [name_of(rival) for rival in rivals_of("balanced_ei")] == [
        "bursting_units", "common_cause_chain", "common_drive", "comodulated_gain", "drifting_units",
        "independent_poisson", "irregular_units",
    ]  # fmt: skip
    assert rivals_of("coupled_rates") == []


def test_a_question_is_the_chosen_instance_or_the_default():
    strict = Connectivity(least_mcc=0.9)
    assert question("connectivity", (strict,)) is strict
    assert question("topology", (strict,)) == get("questions", "topology")()


def test_an_unknown_criterion_lists_those_that_there_are():
    with pytest.raises(SimlabError, match=r"no parameter mcc; it takes: .*least_mcc"):
        create("questions", "connectivity", mcc=0.4)


def test_inherited_parameters_keep_their_words():
    assert shown("common_fluctuations").count("whose sizes, rates, noise and task it has") == 1
