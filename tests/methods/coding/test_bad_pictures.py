"""Tests of selectivity on planted spikes: whom they name, and what they say where something is missing or odd."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from planted_pictures import BRIEF, CONCEPTS, NONE, OF, ORDER, A, B, C, D, liking, now_and_then, planted

import simlab
from methods.coding._pictures import averaged, responses, shares, viewed
from methods.coding.concept_anova import ConceptAnova
from methods.coding.five_sigma_response import FiveSigmaResponse
from methods.coding.held_out_pictures import HeldOutPictures, _halves
from methods.coding.response_mixture import ResponseMixture
from methods.coding.roc_invariance import RocInvariance
from methods.coding.selectivity_index import INDICES, SelectivityIndex
from methods.coding.top_pictures import TopPictures
from simlab.data import recording

FIVE, ROC, INDEX, ABOVE, ANOVA, BY_PICTURE, HELD, TOP, MIXTURE = TESTS = (
    FiveSigmaResponse(), RocInvariance(n_surrogates=49), SelectivityIndex(), SelectivityIndex(above_baseline=True),
    ConceptAnova(), ConceptAnova(over="pictures"), HeldOutPictures(), TopPictures(), ResponseMixture(n_surrogates=9),
)  # fmt: skip
NEED_PAUSE, NEED_PICTURES = (FIVE, ROC, ABOVE, MIXTURE), (ROC, BY_PICTURE, HELD)
every = pytest.mark.parametrize("test", TESTS, ids=lambda test: f"{test.name} {TESTS.index(test)}")

ONE_PICTURE = 6 * (ORDER == 0)
UNITS = np.column_stack(
    [liking(A), liking(B), np.full(len(ORDER), 3), 0 * ORDER, ONE_PICTURE, liking(A, B), liking(B, C, D, spikes=2)]
)
"""For A; for B; for all alike; for none; for one picture of A; for A and B; for all but A."""
PLAIN = planted(UNITS, now_and_then(UNITS.shape[1]))


def found(test, world, seed: int = 0):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        return test.analyse(world, np.random.default_rng(seed))


def labels(test, world, seed: int = 0) -> list[str]:
    finding = found(test, world, seed)
    assert not finding.abstained, finding.abstained
    assert set(finding.estimate["concept"]) <= {*CONCEPTS, NONE}
    return list(finding.estimate["concept"])


def reason(test, world) -> str:
    return found(test, world).abstained or ""


@pytest.mark.parametrize("test", [FIVE, ROC, ABOVE, BY_PICTURE, HELD], ids=lambda test: test.name)
def test_whoever_asks_for_invariance_names_units_of_one_concept_and_no_others(test):
    mine = labels(test, PLAIN)
    assert mine[:4] == [A, B, NONE, NONE]
    assert mine[4] == (A if test is ABOVE else NONE)  # the mean of a concept hides which picture it was
    assert mine[5:] == [NONE, NONE] or test is ROC  # which a second concept may escape


def test_presentations_are_no_pictures():
    assert labels(ANOVA, PLAIN)[:5] == [A, B, NONE, NONE, A]
    assert labels(BY_PICTURE, PLAIN)[4] == NONE
    assert labels(FiveSigmaResponse(least_pictures=0.25), PLAIN)[4] == A
    assert labels(FiveSigmaResponse(least_pictures=0.26), PLAIN)[4] == NONE


def test_the_top_asks_for_as_many_pictures_as_it_looks_at():
    for n_top, said in ((1, A), (2, NONE), (3, NONE)):
        assert labels(TopPictures(n_top=n_top), PLAIN)[4] == said
    of_four = labels(TopPictures(n_top=1000), PLAIN)
    assert of_four[:4] == [A, B, NONE, NONE]
    both = {labels(TopPictures(n_top=1), PLAIN, seed)[5] for seed in range(20)}
    assert both == {A, B}  # what comes first of equals is chance


@pytest.mark.parametrize("n_pictures", [8, 11, 13, 16])
@pytest.mark.parametrize("spikes", [1, 4, 7])
def test_a_unit_that_does_the_same_to_all_has_no_top(n_pictures, spikes):
    order = np.tile(np.arange(n_pictures), 3)
    third = np.where(np.arange(len(order)) < n_pictures, spikes, 0)[:, None]  # a third of so many spikes on average
    said = [labels(TopPictures(n_top=n), planted(np.repeat(third, 8, axis=1), order=order)) for n in (1, 3)]
    assert said == [[NONE] * 8] * 2


@pytest.mark.parametrize("sizes", [(1, 3, 5, 7), (2, 3, 6, 11), (4, 5, 13, 3)])
@pytest.mark.parametrize("index", INDICES)
def test_a_unit_that_does_what_it_did_before_has_no_index_however_means_are_rounded(index, sizes):
    order, of = np.tile(np.arange(sum(sizes)), 3), np.repeat(CONCEPTS, sizes)
    third = np.where(np.arange(len(order)) < sum(sizes), 1, 0)[:, None]
    world = planted(third, third, order, BRIEF | {"pictures": tuple(of.tolist())})
    assert labels(SelectivityIndex(index=index, above_baseline=True), world) == [NONE]


@pytest.mark.parametrize("correction", ["none", "bonferroni", "false discovery rate"])
def test_corrections_over_units_cost_what_they_say(correction):
    many = planted(np.column_stack([ONE_PICTURE] + [0 * ORDER] * 9), now_and_then(10))  # p = .019 of ten
    said = labels(ConceptAnova(correction=correction), many)
    assert said == [A if correction == "none" else NONE] + [NONE] * 9


@pytest.mark.parametrize("index", INDICES)
def test_one_spike_in_all_is_an_index_of_one_and_no_spike_is_none(index):
    once = np.column_stack([(np.arange(len(ORDER)) == 5).astype(int), 0 * ORDER])
    assert labels(SelectivityIndex(index=index), planted(once)) == [B, NONE]


def test_a_threshold_of_an_index_is_exceeded_and_not_reached():
    two = planted(np.column_stack([liking(A, spikes=6) + liking(B, spikes=2)]))
    half = SelectivityIndex(index="next best", threshold=0.5)  # (6 - 2) / (6 + 2)
    assert labels(half, two) == [NONE]
    assert labels(replace(half, threshold=0.49), two) == [A]


@pytest.mark.parametrize(("spikes", "n_sigma", "said"), [(1, 0.0, NONE), (2, 0.0, A), (2, 5.0, NONE), (3, 5.0, A)])
def test_a_response_is_above_five_deviations_and_of_two_spikes(spikes, n_sigma, said):
    """The baseline is 16 spikes in 48 windows: 1/3 + 5 x .476 = 2.7 spikes."""
    world = planted(liking(A, spikes=spikes)[:, None], now_and_then(1))
    assert labels(FiveSigmaResponse(n_sigma=n_sigma), world) == [said]


def test_a_single_loud_presentation_moves_no_median():
    loud = np.where(np.arange(len(ORDER)) < 4, 40, 0)[:, None]  # all pictures of A, the first time
    assert labels(FIVE, planted(loud, now_and_then(1))) == [NONE]
    assert labels(INDEX, planted(loud)) == [A]


@pytest.mark.parametrize(("other", "said"), [(3, B), (4, NONE)])
def test_held_out_pictures_allow_half_as_much_of_another_concept(other, said):
    both = (liking(B, spikes=6) + liking(D, spikes=other))[:, None]
    assert labels(HELD, planted(both)) == [said]


def test_halves_are_of_each_concept_and_the_odd_one_tests():
    concept = np.repeat([0, 1, 2], [2, 3, 4])
    first = _halves(concept, np.random.default_rng(0))
    assert np.bincount(concept[first]).tolist() == [1, 1, 2]
    draws = {tuple(_halves(concept, np.random.default_rng(seed))) for seed in range(50)}
    assert len(draws) > 10


def test_the_mixture_believes_in_cells_of_one_concept_only_if_no_sparse_code_has_so_many():
    rng, of = np.random.default_rng(3), np.array([f"concept {k:03d}" for k in range(20)])
    order = np.tile(np.arange(20), 3)
    brief = {"concepts": (*of, NONE), "pictures": tuple(of.tolist())}
    ones = rng.permutation(np.arange(60) % 20)
    alone = np.column_stack([liking(of[k], of=of, order=order) for k in ones])
    chance = rng.random((20, 60)) < 1 / 20
    finding = found(ResponseMixture(), planted(alone, order=order, brief=brief))
    assert list(finding.estimate["concept"]) == list(of[ones])
    assert finding.notes["p"] == 0.01
    assert finding.notes["sparseness"] == 1 / 20
    sparse = found(ResponseMixture(), planted(6 * chance[order], order=order, brief=brief))
    assert set(sparse.estimate["concept"]) == {NONE}
    assert sparse.notes["p"] > 0.05
    assert sparse.notes["sparseness"] == pytest.approx(chance.mean())


def test_counts_means_and_medians_are_those_that_were_planted():
    seen, before = viewed(PLAIN), now_and_then(UNITS.shape[1])
    assert seen.counts.tolist() == UNITS.tolist()
    assert seen.before.tolist() == before.tolist()
    assert seen.names[seen.concept].tolist() == OF.tolist()
    assert seen.per_picture()[:, 0].tolist() == [6.0] * 4 + [0.0] * 12
    assert seen.per_concept()[:, 4].tolist() == [1.5, 0, 0, 0]
    assert seen.medians().tolist() == seen.per_picture().tolist()  # the three presentations are alike
    assert responses(seen, 5.0, 2.0)[:, 4].tolist() == [True] + [False] * 15
    assert shares(np.eye(4, dtype=bool), np.array([0, 1, 1, 1])).round(3)[:, 1].tolist() == [0, 0.333]
    assert averaged(np.arange(4.0)[:, None], np.array([0, 0, 1, 1])).tolist() == [[0.5], [2.5]]


def test_spikes_too_early_too_late_or_of_the_pause_do_not_count():
    at = np.array([0.69, 0.71, 0.99, 1.0, 1.29, 1.31, 1.99])
    one = planted(np.zeros((48, 1)))
    spikes = {f"spike_{name}": ("spike", values) for name, values in
              (("trial", np.zeros(7, int)), ("time", at), ("unit", np.zeros(7, int)))}  # fmt: skip
    seen = viewed(one.drop_dims("spike").assign(spikes))
    assert (seen.counts[0, 0], seen.before[0, 0]) == (2, 1)


def renumbered(*, first: float):
    order = ORDER.astype(float)
    order[0] = first
    return planted(UNITS, order=order)


GAPS = np.where(np.arange(20)[None, :, None] % 3 == 0, np.nan, np.ones((48, 20, 2)))
FLUORESCENCE = recording(
    duration=2.0, n_units=2, n_trials=48, signal=GAPS, modality="fluorescence", sample_time=np.arange(20) * 0.1,
    stimulus=PLAIN["stimulus"].values, time=np.arange(2.0), names={"feature": ("feature", np.array(["picture"]))},
).assign_attrs(brief=BRIEF)  # fmt: skip
NEVER = planted(UNITS, order=np.full(48, np.nan))
LACKING = {
    "a signal with gaps": (FLUORESCENCE, "needs spikes, and this recording holds fluorescence"),
    "no stimulus": (PLAIN.drop_vars("stimulus"), "needs the stimulus"),
    "no units": (planted(UNITS[:, :0]), "needs at least 1 units, got 0"),
    "unequal trials": (planted(UNITS, length=np.r_[1.5, np.full(47, 2.0)]), "needs trials of one length"),
    "seven trials": (planted(UNITS[:7], order=ORDER[:7]), "needs at least 8 trials, got 7"),
    "no brief": (PLAIN.assign_attrs(brief={}), "nobody says which pictures were shown"),
    "another feature": (PLAIN.assign_coords(feature=["angle"]), "nobody says which pictures were shown"),
    "one concept": (PLAIN.assign_attrs(brief=BRIEF | {"pictures": (A,) * 16}), "1 concept was shown"),
    "one picture": (planted(UNITS, order=0 * ORDER), "1 concept was shown"),
    "nothing shown": (NEVER, "not the number of a picture"),
    "too large a number": (renumbered(first=16), "not the number of a picture"),
    "half a number": (renumbered(first=0.5), "not the number of a picture"),
    "a negative number": (renumbered(first=-1), "not the number of a picture"),
}


@every
@pytest.mark.parametrize("what", LACKING)
def test_what_is_missing_is_named(test, what):
    world, words = LACKING[what]
    assert words in reason(test, world)


@every
def test_without_a_pause_those_abstain_that_ask_for_a_baseline(test):
    said = reason(test, planted(UNITS, pause=0.0))
    assert ("without a pause" in said) == (test in NEED_PAUSE)
    if test not in NEED_PAUSE:
        assert labels(test, planted(UNITS, pause=0.0))[:4] == [A, B, NONE, NONE]


@every
def test_with_one_picture_of_a_concept_those_abstain_that_ask_for_two(test):
    few = ORDER % 4 == 0
    world = planted(UNITS[few], now_and_then(7, few.sum()), ORDER[few])
    said = reason(test, world)
    assert ("one picture of a concept" in said or "two pictures" in said) == (test in NEED_PICTURES)
    assert bool(said) == (test in NEED_PICTURES)


@every
def test_a_concept_that_was_never_shown_is_no_answer(test):
    kept = np.isin(OF[ORDER], (A, B, D))
    world = planted(UNITS[kept], now_and_then(7, kept.sum()), ORDER[kept])
    said = labels(test, world)
    assert C not in said
    if test is not MIXTURE:  # of seven units it cannot tell
        assert said[:4] == [A, B, NONE, NONE]


@every
def test_a_picture_shown_once_and_another_often_are_no_trouble(test):
    order = np.concatenate([np.arange(16), np.zeros(20, int)])
    of = np.column_stack([6 * (OF[order] == name) for name in (A, B)])
    said = labels(test, planted(of, now_and_then(2, 36), order))
    assert said == [A, B] or test is MIXTURE


@every
@pytest.mark.parametrize("units", ["silent", "constant", "all alike"])
def test_units_that_tell_nothing_are_called_nothing(test, units):
    counts = {
        "silent": np.zeros((48, 3)),
        "constant": np.full((48, 3), 5),
        "all alike": np.repeat((np.arange(48) // 16 * 2)[:, None], 3, axis=1),  # over time, and not over pictures
    }[units]
    assert set(labels(test, planted(counts, counts))) <= {NONE}


@every
def test_a_doubled_unit_gets_its_name_twice(test):
    said = labels(test, planted(UNITS[:, [0, 0, 1, 1]], now_and_then(4)))
    assert said[0] == said[1]
    assert said[2] == said[3]


@every
def test_the_names_do_not_depend_on_the_order_of_trials(test):
    order = np.random.default_rng(1).permutation(48)
    before = now_and_then(7)
    moved = planted(UNITS[order], before[order], ORDER[order])
    assert labels(test, moved)[:4] == labels(test, PLAIN)[:4]


@pytest.mark.parametrize("test", [FIVE, MIXTURE], ids=lambda test: test.name)
def test_the_answer_has_the_form_of_the_question(test):
    finding = simlab.analyse(test, PLAIN)
    assert finding.estimate["concept"].shape == (7,)
    assert not finding.abstained
