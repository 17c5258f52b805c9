"""Projection through the key, the metrics against scikit-learn, chance, and what the baselines get."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from simlab.contracts import Finding, SimlabError
from simlab.data import recording
from simlab.questions import ranking
from simlab.questions.connectivity import Connectivity, activity_level

QUESTION = Connectivity()


def wiring(n: int = 20, density: float = 0.1, seed: int = 0) -> xr.Dataset:
    """A random truth over n neurons, half of its synapses inhibitory."""
    rng = np.random.default_rng(seed)
    weight = rng.normal(size=(n, n)) * (rng.random((n, n)) < density)
    np.fill_diagonal(weight, 0)
    return xr.Dataset({"weight": (("pre", "post"), weight)})


def key_of(matrix: np.ndarray) -> xr.DataArray:
    return xr.DataArray(np.asarray(matrix, dtype=float), dims=("unit", "neuron"))


def projected(n: int = 20, density: float = 0.1, seed: int = 0) -> xr.Dataset:
    return QUESTION.project(wiring(n, density, seed), key_of(np.eye(n)))


def finding_of(score: np.ndarray, decided: np.ndarray, sign: np.ndarray | None = None) -> Finding:
    return Finding({"score": score, "decided": decided} | ({} if sign is None else {"sign": sign}))


def spikes(n_units: int = 20, seed: int = 0, n_spikes: int = 2000) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    table = (rng.integers(0, 2, n_spikes), rng.random(n_spikes), rng.integers(0, n_units, n_spikes))
    return recording(duration=1.0, n_units=n_units, n_trials=2, spikes=table)


@pytest.fixture
def sorted_badly() -> xr.Dataset:
    """Neurons 0 -> 1 (+2), 1 -> 2 (-1), 3 -> 2 (-3), seen as four units.

    Unit 0 is neuron 0; unit 1 merges neurons 1 and 3; unit 2 is neuron 2 with a fifth of neuron 0 and a tenth of
    noise; unit 3 is neuron 0 once more.
    """
    weight = np.zeros((4, 4))
    weight[0, 1], weight[1, 2], weight[3, 2] = 2, -1, -3
    truth = xr.Dataset({"weight": (("pre", "post"), weight)})
    return QUESTION.project(truth, key_of([[1, 0, 0, 0], [0, 0.5, 0, 0.5], [0.2, 0, 0.7, 0], [0.9, 0, 0, 0]]))


def test_a_merged_unit_gets_an_edge_that_half_of_its_spikes_have(sorted_badly: xr.Dataset) -> None:
    assert sorted_badly["share"].values[0, 1] == 0.5
    assert sorted_badly["edge"].values[0, 1]
    assert sorted_badly["weight"].values[0, 1] == 1.0


def test_both_halves_of_a_merged_unit_add_up(sorted_badly: xr.Dataset) -> None:
    assert sorted_badly["share"].values[1, 2] == pytest.approx(7 / 9)  # (0.5 + 0.5) x 0.7 of the 0.9 that neurons fired
    assert sorted_badly["weight"].values[1, 2] == pytest.approx(-1.4)  # (-0.5 - 1.5) x 0.7
    assert sorted_badly["sign"].values[1, 2] == -1


def test_contamination_leaves_a_trace_in_the_weight_but_no_edge(sorted_badly: xr.Dataset) -> None:
    assert sorted_badly["weight"].values[2, 1] == pytest.approx(0.2)  # 0.2 x 2 x 0.5
    assert not sorted_badly["edge"].values[2, 1]


def test_two_units_of_one_neuron_are_marked_and_not_connected(sorted_badly: xr.Dataset) -> None:
    np.testing.assert_array_equal(np.argwhere(sorted_badly["same"].values), [[0, 3], [3, 0]])
    assert not sorted_badly["edge"].values[0, 3]


def test_the_hand_worked_case_has_exactly_three_edges(sorted_badly: xr.Dataset) -> None:
    np.testing.assert_array_equal(np.argwhere(sorted_badly["edge"].values), [[0, 1], [1, 2], [3, 1]])


def test_false_positives_take_no_edge_away_until_they_are_most_of_a_unit() -> None:
    truth = xr.Dataset({"weight": (("pre", "post"), [[0.0, 1.0], [0.0, 0.0]])})
    assert QUESTION.project(truth, key_of([[0.6, 0], [0, 0.6]]))["edge"].values[0, 1]
    assert not QUESTION.project(truth, key_of([[0.4, 0], [0, 1.0]]))["edge"].values[0, 1]


def test_a_subsample_keeps_its_rows_and_columns_of_the_wiring() -> None:
    truth, chosen = wiring(), [3, 11, 5]
    part = QUESTION.project(truth, key_of(np.eye(20)[chosen]))
    np.testing.assert_array_equal(part["weight"].values, truth["weight"].values[np.ix_(chosen, chosen)])


def test_the_presynaptic_unit_is_the_row_whatever_the_order_of_dims() -> None:
    truth, key = wiring(), key_of(np.eye(20))
    turned = QUESTION.project(truth.transpose("post", "pre"), key.transpose("neuron", "unit"))
    assert turned.identical(QUESTION.project(truth, key))


def test_excitation_and_inhibition_that_cancel_have_no_sign_to_get_wrong() -> None:
    truth = xr.Dataset({"weight": (("pre", "post"), [[0.0, 0, 1], [0, 0, -1], [0, 0, 0]])})
    part = QUESTION.project(truth, key_of([[0.5, 0.5, 0], [0, 0, 1]]))
    assert part["edge"].values[0, 1]
    assert part["sign"].values[0, 1] == 0
    scores = QUESTION.score(finding_of(np.ones((2, 2)), np.ones((2, 2)), np.ones((2, 2))), part)
    assert math.isnan(scores["sign_accuracy"])


def test_a_key_over_other_neurons_is_refused() -> None:
    with pytest.raises(SimlabError, match="19 neurons"):
        QUESTION.project(wiring(20), key_of(np.eye(19)))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("levels", [3, 1000])
def test_ranking_metrics_agree_with_scikit_learn_with_and_without_ties(seed: int, levels: int) -> None:
    from sklearn import metrics

    rng = np.random.default_rng(seed)
    positive = rng.random(200) < rng.uniform(0.05, 0.9)
    score = rng.integers(0, levels, 200) + 0.3 * levels * positive.round()
    decided = score > np.median(score)
    assert ranking.auroc(positive, score) == pytest.approx(metrics.roc_auc_score(positive, score))
    assert ranking.average_precision(positive, score) == pytest.approx(metrics.average_precision_score(positive, score))
    assert ranking.matthews(positive, decided) == pytest.approx(metrics.matthews_corrcoef(positive, decided))
    fpr, tpr, _ = metrics.roc_curve(positive, score, drop_intermediate=False)
    assert ranking.tpr_at_fpr(positive, score, 0.1) == pytest.approx(tpr[fpr <= 0.1].max())


def test_matthews_is_zero_when_everything_or_nothing_is_decided() -> None:
    positive = np.array([True, False, False])
    assert ranking.matthews(positive, np.ones(3, dtype=bool)) == 0
    assert ranking.matthews(positive, np.zeros(3, dtype=bool)) == 0


def test_chance_of_the_ranking_metrics_is_the_mean_over_all_rankings() -> None:
    from itertools import permutations

    positive = np.array([True, True, False, False, False, False])
    rankings = [np.array(p, dtype=float) for p in permutations(range(6))]
    precision = np.mean([ranking.average_precision(positive, r) for r in rankings])
    low_fpr = np.mean([ranking.tpr_at_fpr(positive, r, 0.3) for r in rankings])
    assert ranking.chance_average_precision(2, 6) == pytest.approx(precision)
    assert ranking.chance_tpr_at_fpr(2, 6, 0.3) == pytest.approx(low_fpr)


def test_scores_of_a_small_finding_are_those_counted_by_hand() -> None:
    # Edges 0 -> 1 (+), 1 -> 2 (-), 2 -> 1 (+): of 6 pairs. Decided: 0 -> 1 (+), 1 -> 2 (+), 2 -> 0.
    weight = np.array([[0, 1.0, 0], [0, 0, -1], [0, 2, 0]])
    truth = QUESTION.project(xr.Dataset({"weight": (("pre", "post"), weight)}), key_of(np.eye(3)))
    score = np.array([[9, 5.0, 1], [2, 9, 4], [3, 0, 9]])
    decided = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=bool)
    scores = QUESTION.score(finding_of(score, decided, np.ones((3, 3), dtype=int)), truth)
    assert scores["precision"] == pytest.approx(2 / 3)
    assert scores["recall"] == pytest.approx(2 / 3)
    assert scores["mcc"] == pytest.approx((2 * 2 - 1 * 1) / 9)
    assert scores["auroc"] == pytest.approx(6 / 9)  # 5 and 4 beat 3, 2 and 1; 0 beats none
    assert scores["sign_accuracy"] == 0.5
    assert scores["direction_accuracy"] == 1.0  # 0 -> 1 is the only one-way pair, and 5 > 2
    assert scores["decided_direction_accuracy"] == 1.0
    assert scores["decided_density"] == 0.5
    assert scores["false_positive_rate"] == pytest.approx(1 / 3)
    # Pairs 01 and 12 are connected, 02 is not; all three are decided, with evidence 5, 4 and 3.
    assert (scores["pair_auroc"], scores["pair_mcc"], scores["pair_auprc"]) == (1, 0, 1)
    assert (scores["recall_excitatory"], scores["recall_inhibitory"]) == (0.5, 1)
    assert scores["auroc_excitatory"] == 0.5  # of 5 and 0 against 3, 2 and 1
    assert scores["auroc_inhibitory"] == 1
    assert math.isnan(scores["p_below_05"])
    assert (scores["n_pairs"], scores["n_edges"]) == (6, 3)


def test_p_values_are_counted_where_nothing_is_connected_either_way() -> None:
    weight = np.zeros((3, 3))
    weight[0, 1] = 1.0
    truth = QUESTION.project(xr.Dataset({"weight": (("pre", "post"), weight)}), key_of(np.eye(3)))
    p = np.array([[1, 0, 0.05], [0, 1, 0.5], [0.01, 0.02, 1]])
    nothing = np.zeros((3, 3))
    scores = QUESTION.score(Finding({"score": nothing, "decided": nothing, "p": p}), truth)
    assert (scores["p_below_05"], scores["p_below_01"]) == (0.75, 0.25)


def test_weights_are_held_against_the_true_ones_up_to_their_unit_and_on_a_ring_by_distance() -> None:
    n = 9
    apart = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    around = np.minimum(apart, n - apart).astype(float)
    weight = np.where(around == 1, -2.0, np.where(around == 2, -1.0, 0.0))
    truth = xr.Dataset({"weight": (("pre", "post"), weight), "distance": (("pre", "post"), around)})
    seen = QUESTION.project(truth, key_of(np.eye(n)))
    noise = np.random.default_rng(0).choice([-1.0, 1.0], (n, n))
    scores = {}
    for name, given in (("exact", 3 * weight), ("noisy", weight + noise), ("wide", np.where(around <= 3, -1.0, 0.0))):
        estimate = {"score": np.abs(given), "decided": given != 0, "weight": given}
        scores[name] = QUESTION.score(Finding(estimate), seen)
    assert scores["exact"]["weight_error"] == pytest.approx(0, abs=1e-12)
    assert scores["exact"]["weight_correlation"] == pytest.approx(1)
    assert scores["noisy"]["profile_error"] < 0.5 * scores["noisy"]["weight_error"]
    # profile (2, 1, 0, 0) against (1, 1, 1, 0): alpha 1, left (1, 0, -1, 0), of norm sqrt(2/5)
    assert scores["wide"]["profile_error"] == pytest.approx(np.sqrt(2 / 5))


def test_distances_are_those_of_the_neurons_that_units_see(sorted_badly: xr.Dataset) -> None:
    assert "distance" not in sorted_badly
    apart = np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))
    truth = xr.Dataset({"weight": (("pre", "post"), np.zeros((3, 3))), "distance": (("pre", "post"), apart)})
    seen = QUESTION.project(truth, key_of([[0.5, 0, 0.3], [0, 0.9, 0], [0, 0, 1]]))["distance"].values
    assert seen[0, 2] == pytest.approx(2 * 0.5 / 0.8)
    assert seen[0, 1] == pytest.approx(1.0)


def test_a_symmetric_score_knows_half_of_the_directions() -> None:
    truth = projected()
    score = np.random.default_rng(1).random((20, 20))
    scores = QUESTION.score(finding_of(score + score.T, np.zeros((20, 20), dtype=bool)), truth)
    assert scores["direction_accuracy"] == 0.5
    assert math.isnan(scores["decided_direction_accuracy"])


def test_the_diagonal_is_never_asked_about() -> None:
    truth = projected()
    rng = np.random.default_rng(2)
    score, decided = rng.random((20, 20)), rng.random((20, 20)) < 0.2
    other_score, other_decided = score.copy(), decided.copy()
    np.fill_diagonal(other_score, np.nan)
    np.fill_diagonal(other_decided, True)
    assert QUESTION.score(finding_of(score, decided), truth) == pytest.approx(
        QUESTION.score(finding_of(other_score, other_decided), truth), nan_ok=True
    )


def test_every_metric_is_returned_under_its_name() -> None:
    truth = projected()
    assert set(QUESTION.score(finding_of(np.zeros((20, 20)), np.zeros((20, 20))), truth)) == set(QUESTION.metrics)


@pytest.mark.parametrize("density", [0.0, 1.1])
def test_metrics_that_need_both_kinds_of_pair_are_undefined_without(density: float) -> None:
    truth = projected(density=density)
    scores = QUESTION.score(finding_of(np.random.default_rng(0).random((20, 20)), np.eye(20)), truth)
    assert all(math.isnan(scores[name]) for name in ("mcc", "auroc", "auprc", "tpr_at_1pct_fpr"))
    assert not QUESTION.recovered(scores)
    assert all(math.isnan(value) for value in QUESTION.chance(truth).values())


def test_an_abstention_scores_nothing_and_claims_nothing() -> None:
    truth, silent = projected(), Finding.abstain("too few spikes")
    assert all(math.isnan(value) for value in QUESTION.score(silent, truth).values())
    assert not QUESTION.recovered(QUESTION.score(silent, truth))
    assert not QUESTION.false_recovery(silent, truth)


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        ({"score": np.zeros((20, 20))}, "the estimate lacks decided"),
        ({"score": np.zeros((20, 19)), "decided": np.zeros((20, 20))}, r"20 along post, got shape \(20, 19\)"),
        ({"score": np.full((20, 20), np.nan), "decided": np.zeros((20, 20))}, "must be finite, got 380"),
    ],
)
def test_a_misshapen_answer_is_refused_with_its_fault(estimate: dict[str, np.ndarray], said: str) -> None:
    with pytest.raises(SimlabError, match=said):
        QUESTION.score(Finding(estimate), projected())


def test_recovery_begins_at_the_threshold() -> None:
    assert QUESTION.recovered({"mcc": 0.5})
    assert not QUESTION.recovered({"mcc": 0.499})
    assert Connectivity(least_mcc=0.4).recovered({"mcc": 0.499})


def decided_pairs(*ordered: tuple[int, int]) -> np.ndarray:
    decided = np.zeros((20, 20), dtype=bool)
    for pre, post in ordered:
        decided[pre, post] = True
    return decided


@pytest.mark.parametrize("n_units", [5, 20, 80])
def test_where_there_is_no_wiring_any_discovery_is_a_false_recovery_whatever_the_number_of_units(n_units: int) -> None:
    nothing = np.zeros((n_units, n_units))
    truth = QUESTION.project(xr.Dataset({"weight": (("pre", "post"), nothing)}), key_of(np.eye(n_units)))
    decided = nothing.astype(bool)
    assert not QUESTION.false_recovery(finding_of(nothing, decided), truth)
    decided[0, 1] = True
    assert QUESTION.false_recovery(finding_of(nothing, decided), truth)
    scores = QUESTION.score(finding_of(nothing, decided), truth)
    assert (scores["any_discovery"], scores["false_share"], scores["n_false"]) == (1, 1, 1)


def test_where_there_is_wiring_it_takes_more_false_discoveries_than_true_ones() -> None:
    truth = projected()
    true = np.argwhere(truth["edge"].values)
    false = np.argwhere(~truth["edge"].values & ~np.eye(20, dtype=bool))
    even = decided_pairs(*map(tuple, true[:3]), *map(tuple, false[:3]))
    assert not QUESTION.false_recovery(finding_of(np.zeros((20, 20)), even), truth)
    more = decided_pairs(*map(tuple, true[:3]), *map(tuple, false[:4]))
    assert QUESTION.false_recovery(finding_of(np.zeros((20, 20)), more), truth)
    assert QUESTION.score(finding_of(np.zeros((20, 20)), more), truth)["false_share"] == pytest.approx(4 / 7)


def test_a_symmetric_answer_counts_each_pair_once() -> None:
    truth = projected(density=0.0)
    both_ways = decided_pairs((0, 1), (1, 0), (2, 3), (3, 2))
    assert QUESTION.score(finding_of(np.zeros((20, 20)), both_ways), truth)["n_false"] == 2
    one_way = decided_pairs((0, 1), (2, 3), (4, 5), (5, 4))
    assert QUESTION.score(finding_of(np.zeros((20, 20)), one_way), truth)["n_false"] == 4


def test_a_symmetric_discovery_is_true_where_either_direction_is() -> None:
    weight = np.zeros((20, 20))
    weight[0, 1] = 1.0
    truth = QUESTION.project(xr.Dataset({"weight": (("pre", "post"), weight)}), key_of(np.eye(20)))
    scores = QUESTION.score(finding_of(weight, decided_pairs((0, 1), (1, 0))), truth)
    assert (scores["n_false"], scores["false_share"]) == (0, 0)


def test_pairs_of_which_the_units_hold_an_ambiguous_share_are_left_out() -> None:
    """Unit 0 is 70% neuron 0 and 30% neuron 1, which alone contacts neuron 2: neither answer is wrong."""
    weight = np.zeros((4, 4))
    weight[1, 2], weight[3, 2] = 1.0, 1.0
    key = key_of(np.array([[0.7, 0.3, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]))
    truth = QUESTION.project(xr.Dataset({"weight": (("pre", "post"), weight)}), key)
    assert truth["ambiguous"].values.tolist() == [[False, True, False], [False] * 3, [False] * 3]
    claimed, left = np.zeros((3, 3), dtype=bool), np.zeros((3, 3), dtype=bool)
    claimed[2, 1] = left[2, 1] = claimed[0, 1] = True
    scores = [QUESTION.score(finding_of(d.astype(float), d), truth) for d in (claimed, left)]
    assert scores[0]["mcc"] == scores[1]["mcc"] == 1
    assert scores[0]["n_pairs"] == 5


def test_p_values_may_be_given_and_must_be_probabilities() -> None:
    estimate = {"score": np.zeros((20, 20)), "decided": np.zeros((20, 20))}
    QUESTION.score(Finding(estimate | {"p": np.full((20, 20), 0.3)}), projected())
    with pytest.raises(SimlabError, match=r"p must lie in 0\.\.1"):
        QUESTION.score(Finding(estimate | {"p": np.full((20, 20), 1.3)}), projected())


def test_the_oracle_is_perfect_in_every_metric_that_has_a_chance() -> None:
    truth = projected()
    finding = QUESTION.baselines()["oracle"](truth, spikes(), np.random.default_rng(0))
    scores = QUESTION.score(finding, truth)
    assert all(scores[name] == pytest.approx(1) for name in QUESTION.chance(truth))
    assert not QUESTION.false_recovery(finding, truth)


def test_the_random_baseline_scores_at_chance() -> None:
    truth, rng = projected(density=0.15), np.random.default_rng(3)
    draws = [QUESTION.score(QUESTION.baselines()["random"](truth, spikes(), rng), truth) for _ in range(400)]
    for name, chance in QUESTION.chance(truth).items():
        # decided_direction_accuracy and sign_accuracy are ratios with a random, sometimes zero, denominator
        values = np.array([draw[name] for draw in draws])
        values = values[~np.isnan(values)]
        # four standard errors: of nine metrics one fails by chance once in two thousand seeds
        assert abs(values.mean() - chance) <= 4 * values.std() / np.sqrt(len(values)) + 1e-12, name


def test_blind_baselines_decide_as_many_edges_as_there_are_and_the_usual_share_where_there_are_none() -> None:
    rng = np.random.default_rng(4)
    for kind in ("random", "marginals_only"):
        baseline = QUESTION.baselines()[kind]
        truth = projected()
        assert baseline(truth, spikes(), rng).estimate["decided"].sum() == truth["edge"].values.sum()
        bare = projected(density=0.0)
        assert baseline(bare, spikes(), rng).estimate["decided"].sum() == round(0.116 * 380)


def test_marginals_only_finds_wiring_that_follows_the_rates() -> None:
    seen = recording(
        duration=1.0, n_units=10, n_trials=1, spikes=(np.zeros(110, int), np.linspace(0, 1, 110), _staircase(10))
    )
    weight = np.zeros((10, 10))
    weight[np.ix_([7, 8, 9], [7, 8, 9])] = 1 - np.eye(3)  # the three busiest are wired to one another
    truth = QUESTION.project(xr.Dataset({"weight": (("pre", "post"), weight)}), key_of(np.eye(10)))
    finding = QUESTION.baselines()["marginals_only"](truth, seen, np.random.default_rng(0))
    assert QUESTION.score(finding, truth)["mcc"] == 1


def _staircase(n_units: int) -> np.ndarray:
    """Unit i fires 2(i + 1) times."""
    return np.repeat(np.arange(n_units), 2 * np.arange(1, n_units + 1))


def test_the_activity_level_of_a_trace_is_its_spread() -> None:
    trace = np.random.default_rng(0).normal(size=(5, 200, 3)) * [1, 2, 4]
    seen = recording(
        duration=1.0, n_units=3, n_trials=5, signal=trace, modality="rate", sample_time=np.arange(200) * 5e-3
    )
    # the standard deviation of 1000 normal samples has a relative standard error of 1/sqrt(2000) = 2.2%
    np.testing.assert_allclose(activity_level(seen), [1, 2, 4], rtol=0.09)
