"""Seven tests of selectivity: concept cells, cells of many concepts, of single pictures, of mixtures, and noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from circuits.coding.concept_hierarchy import ConceptHierarchy
from circuits.coding.mixed_selectivity import MixedSelectivity
from circuits.coding.pictures import Firing
from circuits.coding.sparse_code import SparseCode
from methods.coding._pictures import viewed
from methods.coding.concept_anova import ConceptAnova, _tests
from methods.coding.five_sigma_response import FiveSigmaResponse
from methods.coding.held_out_pictures import HeldOutPictures
from methods.coding.response_mixture import ResponseMixture, fitted
from methods.coding.roc_invariance import RocInvariance
from methods.coding.selectivity_index import SelectivityIndex, depth, lifetime, next_best
from methods.coding.top_pictures import TopPictures
from simlab.instruments.recording.perfect import Perfect
from simlab.questions.selectivity import Selectivity
from simlab.streams import stream

FIVE, ROC, INDEX, ANOVA, HELD, TOP, MIXTURE = TESTS = (
    FiveSigmaResponse(), RocInvariance(), SelectivityIndex(above_baseline=True), ConceptAnova(), HeldOutPictures(),
    TopPictures(), ResponseMixture(),
)  # fmt: skip
QUESTION = Selectivity()
CLEAR = Firing(baseline=0.5, baseline_spread=0.3, gain=20.0, gain_spread=0.1)
CONCEPTS = ConceptHierarchy(feature_cells=0, part_cells=0, concept_cells=40, familiar=1.0, firing=CLEAR)
SPARSE = SparseCode(like=CONCEPTS, sparseness=0.05, known=1000)
CIRCUITS = {
    "concepts": CONCEPTS,
    "sparse": SPARSE,
    "pictures": replace(SPARSE, over="pictures", sparseness=1 / 80),  # one each, on average
    "mixed": MixedSelectivity(firing=CLEAR),
    "noise": replace(CONCEPTS, familiar=0.0, firing=replace(CLEAR, baseline=3.0)),
}


@pytest.fixture(scope="module")
def worlds():
    """(recording, projected truth) of each circuit: every picture four times."""
    return {name: recorded(circuit) for name, circuit in CIRCUITS.items()}


def recorded(circuit) -> tuple[xr.Dataset, xr.Dataset]:
    subject = circuit.subject(stream(1, "subject"))
    session = subject.session(trials=320, duration=2.0, rng=stream(1, "session"))
    activity = subject.run(session, stream(1, "run"))
    implant, told = Perfect().implant(subject.anatomy, stream(1, "implant")), subject.truth("selectivity", None, None)
    brief = QUESTION.brief((), told)
    truth = QUESTION.project(told, implant.key).assign_attrs(brief=brief)
    return implant.record(activity, stream(1, "record")).assign_attrs(brief=brief), truth


def scores(test, world) -> dict[str, float]:
    recording, truth = world
    return QUESTION.score(test.analyse(recording, stream(1, test.name)), truth)


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.name)
def test_all_find_concept_cells_where_there_is_nothing_else_and_none_in_noise(test, worlds):
    assert scores(test, worlds["concepts"])["f1"] > 0.9
    assert scores(test, worlds["noise"])["false_positive_rate"] <= 0.05


def test_a_cell_of_hundreds_of_concepts_looks_like_one_of_the_one_that_was_shown(worlds):
    singles = 20 * 0.05 * 0.95**19  # .38 of the cells respond to one of the twenty shown
    assert scores(FIVE, worlds["sparse"])["false_positive_rate"] == pytest.approx(singles, abs=0.15)
    for test in (ROC, ANOVA, HELD):
        assert scores(test, worlds["sparse"])["false_positive_rate"] > 0.15
    assert scores(MIXTURE, worlds["sparse"])["false_positive_rate"] == 0  # who counts those that respond to two


def test_only_other_pictures_tell_a_picture_from_a_concept(worlds):
    false = {test.name: scores(test, worlds["pictures"])["false_positive_rate"] for test in TESTS}
    assert false["held_out_pictures"] <= 0.05
    assert false["top_pictures"] <= 0.05
    assert false["concept_anova"] > 0.2
    assert scores(FiveSigmaResponse(least_pictures=0.0), worlds["pictures"])["false_positive_rate"] > 0.2
    assert scores(ConceptAnova(over="pictures"), worlds["pictures"])["false_positive_rate"] < 0.2


def test_conjunctions_and_sums_are_no_concepts_for_those_who_ask_for_invariance(worlds):
    for test in (FIVE, HELD, TOP):
        assert scores(test, worlds["mixed"])["f1"] > 0.8
    assert scores(ANOVA, worlds["mixed"])["precision"] < 0.6


def test_indices_are_one_for_one_concept_and_zero_for_all_alike_and_one_for_one_spike():
    one, all_alike, two = np.eye(10)[0], np.ones(10), np.repeat([1.0, 0.0], [2, 8])
    rate = np.column_stack([one, all_alike, two, 0.01 * one])
    assert lifetime(rate) == pytest.approx([1, 0, (1 - 0.2) / 0.9, 1])
    assert depth(rate) == pytest.approx([1, 0, 8 / 9, 1])
    assert next_best(rate) == pytest.approx([1, 0, 0, 1])


def test_tests_are_those_of_scipy_and_the_null_of_areas_is_uniform():
    from scipy.stats import f_oneway, ttest_ind

    rng = np.random.default_rng(0)
    value, group = rng.poisson(3, (60, 4)).astype(float), np.repeat(np.arange(2), 30)
    value[:, 3] = 1.0
    p, t, freedom = _tests(value, group)
    assert freedom == 58
    for unit in range(3):
        assert p[unit] == pytest.approx(f_oneway(value[:30, unit], value[30:, unit]).pvalue)
        assert t[0, unit] == pytest.approx(ttest_ind(value[:30, unit], value[30:, unit]).statistic)
    assert (p[3], *t[:, 3]) == (1, 0, 0)
    area, null = ROC._areas(value[:, :1], group[:, None] == 1, rng)
    pairs = value[30:, 0][:, None] - value[:30, 0]
    assert area[0] == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())
    assert null.mean() == pytest.approx(0.5, abs=0.03)


def test_the_mixture_recovers_weights_and_gains_nothing_from_a_component_that_is_not_there():
    from scipy.stats import binom

    component = binom.pmf(np.arange(21)[:, None], 20, np.array([0.02, 0.3]))
    seen = 1000 * component @ np.array([[0.7], [0.3]])
    weight, likelihood = fitted(seen.T, component)
    assert weight[0] == pytest.approx([0.7, 0.3], abs=0.01)
    more = fitted(seen.T, np.column_stack([component, np.arange(21) == 1]))[1]
    assert more == pytest.approx(likelihood, abs=0.1)


def test_they_abstain_with_a_reason(worlds):
    whole = worlds["concepts"][0]
    silent = whole.isel(spike=slice(0, 0))
    unknown = whole.assign_attrs(brief={"candidates": ("this",)})
    one = whole.assign_attrs(brief=whole.attrs["brief"] | {"pictures": ("concept 000",) * 80})
    for test in TESTS:
        assert "stimulus" in test.analyse(whole.drop_vars("stimulus"), stream(1, "x")).abstained
        assert "nobody says which pictures" in test.analyse(unknown, stream(1, "x")).abstained
        assert "1 concept was shown" in test.analyse(one, stream(1, "x")).abstained
        assert (test.analyse(silent, stream(1, "x")).estimate["concept"] == "none").all()
    few = whole.isel(trial=slice(0, 10), spike=whole["spike_trial"].values < 10)
    assert "one picture" in HELD.analyse(few, stream(1, "x")).abstained
    assert viewed(few).counts.shape == (10, 40)
