"""What must not change how alike two populations are, what verdicts are made of, and flows that differ by little."""

from __future__ import annotations

import numpy as np
import pytest

from methods.similarity._populations import Verdict, pair, patterns
from methods.similarity.canonical_similarity import CanonicalSimilarity
from methods.similarity.cka import Cka
from methods.similarity.dynamical_similarity import distance
from methods.similarity.linear_predictivity import LinearPredictivity, Regression, noise_of_mean
from methods.similarity.procrustes_distance import ProcrustesDistance
from methods.similarity.rsa import Rsa, distances, scatters, whitening
from simlab import registry, truths
from simlab.contracts import Finding
from simlab.data import recording
from simlab.questions.shared_mechanism import SharedMechanism, flow_difference

UNITS, STIMULI, REPEATS = 10, 12, 4
FIRST = np.arange(UNITS) < 5
SHOWN = np.tile(np.arange(STIMULI), REPEATS)
QUICK = {"permutations": 1}
METHODS = (
    *(Rsa(distance, **QUICK) for distance in ("euclidean", "mahalanobis", "cross_validated", "crossnobis")),
    Rsa("crossnobis", "other_repeats", compare="pearson", **QUICK),
    Cka(**QUICK),
    Cka(debiased=True, **QUICK),
    ProcrustesDistance(**QUICK),
    CanonicalSimilarity(components=3, **QUICK),
    LinearPredictivity(**QUICK),
)


def responses() -> np.ndarray:
    rng = np.random.default_rng(0)
    seen = rng.standard_normal((STIMULI, 3)) @ rng.standard_normal((3, UNITS))
    return seen[SHOWN] + 0.8 * rng.standard_normal((len(SHOWN), UNITS))


def world(values: np.ndarray, condition: np.ndarray = SHOWN, first: np.ndarray = FIRST):
    return recording(
        duration=0.1, n_units=values.shape[1], n_trials=len(values), signal=values[:, None], modality="rate",
        sample_time=np.array([0.05]), condition=condition, unit_region=(~first).astype(int),
    )  # fmt: skip


def likeness(method, seen) -> float:
    return method.analyse(seen, np.random.default_rng(0)).notes["likeness"]


def turned() -> np.ndarray:
    values, turn = responses(), np.linalg.qr(np.random.default_rng(1).standard_normal((5, 5)))[0]
    values[:, FIRST] = values[:, FIRST] @ turn
    return values


ORDER = np.random.default_rng(2).permutation(UNITS)
LATER = np.r_[SHOWN + 100, 500, 501]
SAME = {
    "the order of the units": lambda: world(responses()[:, ORDER], first=FIRST[ORDER]),
    "each unit's mean": lambda: world(responses() + 10 * np.arange(UNITS)),
    "the size of a population's responses": lambda: world(responses() * np.where(FIRST, 7.0, 0.5)),
    "a rotation of one population": lambda: world(turned()),
    "the stimuli's names": lambda: world(responses(), condition=3 * SHOWN + 11),
    "which population is first": lambda: world(responses(), first=~FIRST),
    "stimuli that were shown once": lambda: world(np.vstack([responses(), responses()[:2] + 9]), LATER),
    "a unit that does nothing": lambda: world(
        np.column_stack([responses(), np.ones(len(SHOWN))]), first=np.r_[FIRST, True]
    ),
}


@pytest.fixture(scope="module")
def before() -> dict[str, float]:
    return {repr(method): likeness(method, world(responses())) for method in METHODS}


@pytest.mark.parametrize("what", SAME)
def test_likeness_does_not_depend_on(what, before):
    after = SAME[what]()
    found = {repr(method): (before[repr(method)], likeness(method, after)) for method in METHODS}
    assert {name: pair for name, pair in found.items() if pair[0] != pytest.approx(pair[1], rel=1e-6)} == {}


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_a_population_is_more_like_its_copy_than_like_one_whose_stimuli_are_others(method):
    values, mixed = responses(), responses()
    values[:, ~FIRST] = values[:, FIRST]
    mixed[:, ~FIRST] = values[np.arange(len(SHOWN)) - SHOWN + (SHOWN * 5 + 3) % STIMULI][:, FIRST]
    copied = likeness(method, world(values))
    assert copied > likeness(method, world(mixed)) + 0.3
    if method.name in ("procrustes_distance", "cka") or method.name == "rsa":
        assert copied == pytest.approx(1)


@pytest.mark.parametrize(
    ("told", "p"),
    [
        (lambda order: 0.3, 1.0),  # no order is less alike than the true one
        (lambda order: float((order == np.arange(len(order))).all()), 1 / 21),
        (lambda order: -float((order == np.arange(len(order))).all()), 1.0),
    ],
    ids=["a constant", "the true order alone", "any but the true order"],
)
def test_a_verdict_counts_orders_that_are_as_alike_with_the_true_one_among_them(told, p):
    finding = Verdict(20, 0.05).on(told, 12, np.random.default_rng(0))
    assert finding.notes["p"] == pytest.approx(p)
    assert bool(finding.estimate["shared"]) == (p <= 0.05)
    assert finding.confidence >= 0.5


def test_too_few_orders_never_make_a_verdict_and_what_is_stated_is_cut():
    def told(order: np.ndarray) -> float:
        return 3.0 if (order == np.arange(12)).all() else -3.0

    few = Verdict(10, 0.05).on(told, 12, np.random.default_rng(0))
    assert few.notes["p"] == pytest.approx(1 / 11)
    assert not few.estimate["shared"]
    assert (few.estimate["similarity"], few.notes["likeness"], few.notes["by_chance"]) == (1.0, 3.0, -3.0)
    assert Verdict(10, 0.05).on(lambda o: -told(o), 12, np.random.default_rng(0)).estimate["similarity"] == -1.0


def test_whitened_repeats_scatter_by_one_in_every_direction_where_there_are_many():
    rng = np.random.default_rng(3)
    mixed = rng.standard_normal((40, 100, 3)) @ np.array([[2.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.5, 0.8]])
    left = mixed @ whitening(mixed)
    left = (left - left.mean(axis=0)).reshape(-1, 3)
    assert left.T @ left / (39 * 100) == pytest.approx(np.eye(3), abs=0.05)


@pytest.mark.parametrize(("apart", "expected"), [(0, True), (1, True), (2, False)])
def test_noise_must_remain_whichever_repeats_are_left_out(apart, expected):
    same = np.ones((4, 6, 2))
    same[:2] += np.arange(24).reshape(2, 6, 2)  # the last two repeats are alike
    assert scatters(same, apart) == expected


def test_cross_validation_takes_the_noise_out_of_distances_and_nothing_else():
    rng = np.random.default_rng(4)
    true, noise = 3 * rng.standard_normal((6, 400)), rng.standard_normal((4, 6, 400))
    plain, crossed = (distances(true + noise, flag) for flag in (False, True))
    upper, exact = np.triu_indices(6, 1), distances(true[None], False)
    assert (plain - exact)[upper].mean() == pytest.approx(2 / 4, abs=0.15)  # two errors, of variance 1 / 4
    assert (crossed - exact)[upper].mean() == pytest.approx(0, abs=0.15)
    assert distances(np.repeat(true[None], 3, axis=0), True) == pytest.approx(exact)


def test_noise_of_a_mean_falls_with_repeats():
    noise = np.random.default_rng(5).standard_normal((8, 500, 2)) * [1.0, 3.0]
    assert noise_of_mean(noise) == pytest.approx([1 / 8, 9 / 8], rel=0.1)


def test_regression_foretells_nothing_of_noise_and_no_more_than_all():
    rng = np.random.default_rng(6)
    x, y = rng.standard_normal((24, 3)), rng.standard_normal((24, 2))
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    for number in (2, 6, 24, 100):
        fitted = Regression.on(x, number)
        assert len(fitted.folds) == min(number, 24)
        assert sorted(np.concatenate([fold.test for fold in fitted.folds])) == list(range(24))
        assert fitted.foretold(y) < 0.2 * (y**2).sum()
        assert 0.95 * (x**2).sum() < fitted.foretold(x) <= (x**2).sum()


def test_patterns_are_means_about_their_mean_and_counts_are_squared_roots():
    found = pair(world(responses()), Rsa.needs)
    assert patterns(found.one).mean(axis=0) == pytest.approx(np.zeros(5), abs=1e-12)
    trial, unit = (index.ravel() for index in np.indices((48, 4)))
    trial, unit = np.repeat(trial, 1 + SHOWN[trial] % 4), np.repeat(unit, 1 + SHOWN[trial] % 4)
    spiking = recording(
        duration=0.1, n_units=4, n_trials=48, spikes=(trial, np.full(len(trial), 0.05), unit), condition=SHOWN,
        unit_region=np.array([0, 0, 1, 1]),
    )  # fmt: skip
    assert pair(spiking, Rsa.needs).one[2, :, 0] == pytest.approx(np.sqrt(1 + np.arange(12) % 4))


@pytest.mark.parametrize(("off", "shared"), [(0.0, True), (0.04, True), (0.06, False), (1.0, False)])
def test_flows_are_one_within_the_tolerance(off, shared):
    poles = np.array([-2 + 9j, -1 + 3j])
    question = SharedMechanism()
    truth = question.project(truths.flows(np.stack([poles, (poles / (1 + off))[::-1]])), None)
    assert float(truth["difference"]) == pytest.approx(off / (1 + off), abs=0.011)
    assert bool(truth["shared"]) == shared
    right, wrong = (Finding({"shared": verdict}) for verdict in (shared, not shared))
    assert question.recovered(question.score(right, truth))
    assert not question.recovered(question.score(wrong, truth))
    assert question.false_recovery(Finding({"shared": True}), truth) == (not shared)
    assert np.isnan(question.score(Finding.abstain("one population alone"), truth)["correct"])


def test_eigenvalues_are_matched_so_that_they_differ_least():
    a = np.array([-1 + 5j, -1 + 6j, -1 + 7j])
    assert flow_difference(a, a[[2, 0, 1]]) == 0
    assert flow_difference(a, 2 * a) == pytest.approx(flow_difference(2 * a, a))
    assert flow_difference(a, 1.1 * a) == pytest.approx(1 - 1 / 1.1, abs=0.01)


def test_distance_of_flows_is_symmetric_and_at_most_that_without_a_turn():
    rng = np.random.default_rng(7)
    a, b = rng.standard_normal((2, 4, 4))
    there, back = distance(a, b, rng), distance(b, a, rng)
    assert there == pytest.approx(back, abs=0.02)
    assert there <= np.sqrt(((a - b) ** 2).sum() / ((a**2).sum() + (b**2).sum())) + 1e-9
    assert distance(0 * a, 0 * a, rng) == 0


@pytest.mark.parametrize("question", ["similarity", "shared_mechanism"])
def test_an_oracle_is_right_and_a_coin_half_of_the_time(question):
    asked = registry.create("questions", question)
    told = {
        "similarity": {"similarity": 1.0, "shared": True},
        "shared_mechanism": {"difference": 0.0, "shared": True},
    }[question]
    truth = truths.one(**told)
    rng, baselines = np.random.default_rng(8), asked.baselines()
    assert asked.score(baselines["oracle"](truth, None, rng), truth)["correct"] == 1
    coins = [asked.score(baselines["random"](truth, None, rng), truth)["correct"] for _ in range(60)]
    assert np.mean(coins) == pytest.approx(asked.chance(truth)["correct"], abs=0.2)  # three standard errors
