"""The question `effect`: its truth by other routes, projection, scores worked by hand, chance and baselines."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import xarray as xr

import simlab
from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.data import in_window, recording
from simlab.questions.effect import Effect
from simlab.questions.form import check_truth
from simlab.registry import create
from simlab.session import Effect as Drive
from simlab.session import Session
from simlab.streams import stream

QUESTION = Effect()
RNG = np.random.default_rng(0)


def key_of(matrix) -> xr.DataArray:
    return xr.DataArray(np.asarray(matrix, dtype=float), dims=("unit", "neuron"))


def truth_of(response, se=0.0, evoked: float = 2.0) -> xr.Dataset:
    response = np.asarray(response, dtype=float)
    error = np.broadcast_to(np.asarray(se, dtype=float), response.shape)
    return xr.Dataset(
        {
            "response": (("pre", "post"), response, {"units": "spikes"}),
            "response_se": (("pre", "post"), error),
            "evoked": ("neuron", np.full(len(response), evoked)),
        }
    )


def projected(response, **given) -> xr.Dataset:
    return QUESTION.project(truth_of(response, **given), key_of(np.eye(len(response))))


@cache
def planted(n: int = 12) -> xr.Dataset:
    """Of 132 pairs a fifth has an effect, of either sign."""
    rng = np.random.default_rng(3)
    response = rng.choice([-1, 1], (n, n)) * rng.uniform(0.1, 1.0, (n, n)) * (rng.random((n, n)) < 0.2)
    np.fill_diagonal(response, 0)
    return projected(response)


@cache
def network():
    """A small balanced network with strong synapses, and its truth."""
    subject = create("circuits", "balanced_ei", n_neurons=16, epsp=3e-3).subject(stream(1, "subject"))
    return subject, subject.truth("effect", None, stream(1, "truth"))


# --- truth -----------------------------------------------------------------------------------------------------------


def test_the_simulated_truth_has_the_form_of_the_question_and_says_what_the_pulse_was():
    _, truth = network()
    check_truth(truth, QUESTION)
    assert not np.diag(truth["response"].values).any()
    usual = {"pulse_strength": 4.0, "pulse_duration": 0.01, "response_window": 0.05}
    assert QUESTION.brief((), truth) == usual == QUESTION.brief((), xr.Dataset({"label": "this"}))


def test_paired_trials_find_what_independent_trials_find():
    """The other route: many trials of streams of their own with a pulse, as many without, no common random numbers."""
    subject, truth = network()
    pre = int(np.abs(truth["response"].values).sum(axis=1).argmax())
    pulse = Drive("drive", np.where(np.arange(16) == pre, 4.0, 0.0), 0.0, 0.01)
    session, n = Session(1000, 0.05), 1000
    with_pulse = in_window(subject.run(session.perturbed(pulse), stream(5, "with")), 0.0, 0.05)
    without = in_window(subject.run(session, stream(5, "without")), 0.0, 0.05)
    change = with_pulse.mean(axis=0) - without.mean(axis=0)
    error = np.sqrt((with_pulse.var(axis=0) + without.var(axis=0)) / n + truth["response_se"].values[pre] ** 2)
    others = np.arange(16) != pre
    z = (change - truth["response"].values[pre])[others] / error[others]
    assert np.abs(z).max() < 4  # of 15; each passes 4 with a chance of 6e-5
    assert np.abs(truth["response"].values[pre] / error).max() > 5  # there is something to agree on
    # pulsed at other times than in the truth, and with a standard error of 0.02
    assert change[pre] == pytest.approx(float(truth["evoked"][pre]), abs=0.1)


def test_effects_have_the_signs_of_the_synapses_and_halves_of_the_truth_agree():
    subject, truth = network()
    again = subject.truth("effect", None, stream(2, "truth"))
    one, other = (QUESTION.project(found, key_of(np.eye(16))) for found in (truth, again))
    direct = one["effect"].values & (subject.weights != 0)
    assert direct.sum() > 15
    assert np.array_equal(one["sign"].values[direct], np.sign(subject.weights[direct]))
    response = one["response"].values
    off = ~np.eye(16, dtype=bool)
    # two halves as reliable as these make a truth of 2r / (1 + r) (Spearman-Brown); measured 0.98 at 25 neurons
    assert np.corrcoef(response[off], other["response"].values[off])[0, 1] > 0.9
    asked = off & ~one["ambiguous"].values & ~other["ambiguous"].values
    assert (one["effect"].values == other["effect"].values)[asked].mean() > 0.97
    assert asked.sum() > 0.7 * off.sum()


def test_the_truth_of_a_rate_network_is_that_of_direct_integration():
    """A pulse of one step moves the rate of i by a sum over its noise; at j it arrives as A_ij of that."""
    subject = create("circuits", "coupled_rates", n_neurons=8, density=0.3).subject(stream(1, "subject"))
    truth = subject.truth("effect", None, stream(1, "truth"))
    weights, rng = subject.weights, np.random.default_rng(0)

    def logistic(u):
        return 1 / (1 + np.exp(-u))

    x = np.full((20_000, 8), 0.5)
    for _ in range(30):
        x = logistic(x @ weights + rng.standard_normal(x.shape))
    expected = np.zeros((8, 8))
    noise = rng.standard_normal((5, *x.shape))
    for pre in range(8):
        free = pushed = x
        for step in range(4):  # the sample at the pulse's onset is that before it
            current = np.where((np.arange(8) == pre) & (step == 0), 4.0 * 2.0, 0.0)
            free = logistic(free @ weights + noise[step])
            pushed = logistic(pushed @ weights + noise[step] + current)
            expected[pre] += (pushed - free).mean(axis=0) / 5
    own = np.diag(expected)
    # a pulse's own response has a standard deviation of half its mean: of 1500 pulses, a standard error of 1.3%
    np.testing.assert_allclose(truth["evoked"].values, own, rtol=0.055)
    np.fill_diagonal(expected, 0.0)
    # four standard errors of each
    allowed = 4 * truth["response_se"].values + 1e-4
    assert (np.abs(truth["response"].values - expected) <= allowed).all()
    assert np.array_equal(QUESTION.project(truth, key_of(np.eye(8)))["effect"].values, weights != 0)


def test_where_there_is_no_synapse_a_pulse_changes_nothing_in_simulation_either():
    from circuits.networks.common_drive import CommonDrive

    subject = CommonDrive(like=create("circuits", "balanced_ei", n_neurons=6)).subject(stream(1, "subject"))
    simulated = truths.pulse_responses(subject, stream(1, "truth"), trials=3, pulses=1)
    assert not simulated["response"].values.any()
    assert (simulated["evoked"].values > 1).all()
    assert np.array_equal(subject.truth("effect", None, RNG)["response"], simulated["response"])


@pytest.mark.parametrize("name", ["common_drive", "independent_poisson", "bursting_units", "drifting_units"])
def test_rivals_without_synapses_have_exactly_no_effect(name):
    truth = create("circuits", name).subject(stream(1, "subject")).truth("effect", None, RNG)
    check_truth(truth, QUESTION)
    seen = QUESTION.project(truth, key_of(np.eye(truth.sizes["pre"])))
    assert not (seen["effect"] | seen["ambiguous"]).values[~np.eye(truth.sizes["pre"], dtype=bool)].any()


# --- projection ------------------------------------------------------------------------------------------------------


def test_a_pulse_reaches_the_dominant_neuron_and_the_response_is_weighted():
    response = [[0, 1.0, 0.5, 0], [0, 0, 0, 0], [0, 0, 0, 0], [-1.0, 0, 0.2, 0]]
    key = key_of([[0.7, 0, 0, 0.3], [0, 0.6, 0.4, 0], [0, 0, 0, 0.9]])
    seen = QUESTION.project(truth_of(response, se=0.1), key)["response"].values
    assert seen[0, 1] == pytest.approx(0.6 * 1.0 + 0.4 * 0.5)
    assert seen[2, 1] == pytest.approx(0.4 * 0.2)
    assert seen[2, 0] == pytest.approx(0.7 * -1.0)
    error = QUESTION.project(truth_of(response, se=0.1), key)["response_se"].values
    assert error[0, 1] == pytest.approx(0.1 * np.hypot(0.6, 0.4))


def test_a_neuron_seen_in_two_units_has_no_effect_on_itself():
    seen = QUESTION.project(truth_of([[0, 1.0], [0, 0]]), key_of([[1, 0], [0.9, 0], [0, 1]]))
    assert not seen["effect"].values[0, 1]
    assert seen["effect"].values[[0, 1], 2].all()


def test_a_unit_of_pure_noise_is_aimed_at_in_vain():
    seen = QUESTION.project(truth_of([[0, 1.0], [1.0, 0]]), key_of([[0, 0], [0, 1]]))
    assert not seen["effect"].values.any()


def test_a_key_over_other_neurons_is_refused():
    with pytest.raises(SimlabError, match="the key's 3 neurons must be the truth's"):
        QUESTION.project(truth_of(np.zeros((2, 2))), key_of(np.eye(3)))


@pytest.mark.parametrize(
    ("response", "se", "called"),
    [
        (0.05, 0.0, "effect"), (-0.05, 0.01, "effect"), (0.05, 0.02, "ambiguous"), (0.03, 0.0, "ambiguous"),
        (0.015, 0.0, "none"), (0.0, 0.01, "none"), (0.0, 0.03, "ambiguous"), (0.0, 0.0, "none"),
    ],
)  # fmt: skip
def test_what_is_small_or_unresolved_is_left_out(response, se, called):
    """A pulse makes a neuron itself fire twice: an effect is 0.04 spikes, negligible is 0.02."""
    seen = projected([[0, response], [0, 0]], se=[[0, se], [0, 0]])
    assert bool(seen["effect"][0, 1]) == (called == "effect")
    assert bool(seen["ambiguous"][0, 1]) == (called == "ambiguous")


# --- scores ----------------------------------------------------------------------------------------------------------


def test_scores_of_a_small_finding_are_those_counted_by_hand():
    # True: 0 -> 1 (+1), 1 -> 2 (-0.5), 2 -> 1 (+0.5), of 6 pairs. Decided: 0 -> 1 (+), 1 -> 2 (+), 2 -> 0 (+).
    truth = projected([[0, 1.0, 0], [0, 0, -0.5], [0, 0.5, 0]])
    response = np.array([[0, 0.9, 0.1], [0.0, 0, 0.4], [0.3, 0.2, 0]])
    decided = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], dtype=bool)
    low, high = response - 0.15, response + 0.15
    scores = QUESTION.score(Finding({"response": response, "decided": decided, "low": low, "high": high}), truth)
    assert scores["precision"] == scores["recall"] == pytest.approx(2 / 3)
    assert scores["mcc"] == pytest.approx((2 * 2 - 1 * 1) / 9)
    assert scores["sign_accuracy"] == 0.5
    assert scores["false_share"] == pytest.approx(1 / 3)
    assert scores["coverage"] == pytest.approx(3 / 6)  # 0 -> 1, 0 -> 2, 1 -> 0
    assert scores["spearman_effects"] == pytest.approx(0.5)  # ranks 3, 2, 1 against 3, 1, 2
    # ranks of 0 -> 1, 0 -> 2, 1 -> 0, 1 -> 2, 2 -> 0, 2 -> 1: where decided, and of the true responses
    from scipy.stats import spearmanr

    assert scores["spearman"] == pytest.approx(spearmanr([6, 2, 2, 5, 4, 2], [6, 3, 3, 1, 3, 5]).statistic)
    assert scores["pearson"] == pytest.approx(np.corrcoef([0.9, 0.1, 0, 0.4, 0.3, 0.2], [1, 0, 0, -0.5, 0, 0.5])[0, 1])
    assert (scores["n_pairs"], scores["n_effects"], scores["n_false"]) == (6, 3, 1)
    assert set(scores) == set(QUESTION.metrics)


def test_what_was_not_decided_counts_as_no_response_whatever_its_noise():
    truth = planted()
    effect = truth["effect"].values
    noisy = truth["response"].values + 0.02 * np.random.default_rng(1).standard_normal(effect.shape)
    scores = QUESTION.score(Finding({"response": noisy, "decided": effect}), truth)
    assert scores["spearman"] > 0.99
    assert QUESTION.recovered(scores)
    bare = QUESTION.score(Finding({"response": noisy, "decided": effect * False}), truth)
    assert (bare["spearman"], bare["mcc"]) == (0, 0)
    assert bare["spearman_effects"] > 0.98
    everything = QUESTION.score(Finding({"response": noisy, "decided": effect | True}), truth)
    assert everything["spearman"] < 0.8


def test_ambiguous_pairs_enter_no_score():
    truth = projected([[0, 1.0, 0.03], [0, 0, 0], [-1.0, 0, 0]])
    claimed = np.array([[0, 1, 1], [0, 0, 0], [1, 0, 0]], dtype=bool)
    left = claimed.copy()
    left[0, 2] = False
    response = np.array([[0, 1.0, 9.0], [0, 0, 0], [-1.0, 0, 0]])
    found = [QUESTION.score(Finding({"response": response, "decided": d}), truth) for d in (claimed, left)]
    assert found[0] == pytest.approx(found[1], nan_ok=True)
    assert (found[0]["mcc"], found[0]["pearson"], found[0]["n_pairs"]) == (1, pytest.approx(1), 5)


def test_where_there_is_no_effect_any_discovery_is_a_false_recovery():
    truth = QUESTION.project(truths.no_responses(5), key_of(np.eye(5)))
    nothing = np.zeros((5, 5))
    assert not QUESTION.false_recovery(Finding({"response": nothing, "decided": nothing}), truth)
    one = nothing.copy()
    one[1, 2] = 1
    assert QUESTION.false_recovery(Finding({"response": nothing, "decided": one}), truth)
    scores = QUESTION.score(Finding({"response": nothing, "decided": one}), truth)
    assert math.isnan(scores["spearman"])
    assert not QUESTION.recovered(scores)
    assert all(math.isnan(value) for value in QUESTION.chance(truth).values())


def test_an_abstention_scores_nothing_and_claims_nothing():
    refusal = Finding.abstain("cannot tell")
    assert all(math.isnan(value) for value in QUESTION.score(refusal, planted()).values())
    assert not QUESTION.false_recovery(refusal, planted())


def spikes(n: int = 12) -> xr.Dataset:
    rng = np.random.default_rng(0)
    return recording(
        duration=1.0, n_units=n, n_trials=2, spikes=(rng.integers(0, 2, 900), rng.random(900), rng.integers(0, n, 900))
    )


def test_the_oracle_is_perfect_and_random_is_at_chance():
    truth, rng = planted(), np.random.default_rng(4)
    oracle = QUESTION.score(QUESTION.baselines()["oracle"](truth, spikes(), rng), truth)
    perfect = ("spearman", "spearman_effects", "pearson", "mcc", "auroc", "precision", "recall", "sign_accuracy")
    assert [oracle[name] for name in (*perfect, "coverage")] == pytest.approx([1.0] * 9)
    draws = [QUESTION.score(QUESTION.baselines()["random"](truth, spikes(), rng), truth) for _ in range(200)]
    for name, chance in QUESTION.chance(truth).items():
        values = np.array([draw[name] for draw in draws])
        values = values[np.isfinite(values)]
        # four standard errors: of eight metrics one fails by chance once in two thousand seeds
        assert abs(values.mean() - chance) <= 4 * values.std() / np.sqrt(len(values)) + 1e-12, name


def test_blind_baselines_decide_as_many_as_there_are_and_the_usual_share_where_there_are_none():
    bare = QUESTION.project(truths.no_responses(12), key_of(np.eye(12)))
    for kind in ("random", "marginals_only"):
        answer = QUESTION.baselines()[kind]
        assert answer(planted(), spikes(), RNG).estimate["decided"].sum() == planted()["effect"].values.sum()
        assert answer(bare, spikes(), RNG).estimate["decided"].sum() == round(0.116 * 132)


def test_bounds_that_cross_are_refused():
    with pytest.raises(SimlabError, match=r"negligible must be <= least_effect, got 0\.1 and 0\.02"):
        Effect(negligible=0.1)


# --- worlds ----------------------------------------------------------------------------------------------------------


def cells(circuit, rivals, trials: int):
    grid = simlab.Grid(
        (circuit,),
        (simlab.Plan(trials, 0.06),),
        ("perfect",),
        ("stimulate_and_average",),
        rivals=rivals,
        baselines=False,
    )
    return simlab.Experiment("effects", "What does a pulse do?", (grid,), subjects=1)


def test_an_experiment_finds_strong_effects_and_none_where_there_are_none(tmp_path):
    circuit = create("circuits", "balanced_ei", n_neurons=12, epsp=6e-3, connection_probability=0.2)
    table = simlab.run(
        cells(circuit, ("independent_poisson",), 800), tmp_path / "run", archive=False, progress=False
    ).table
    there, elsewhere = table[table["role"] == "circuit"].iloc[0], table[table["role"] == "rival"].iloc[0]
    assert there["status"] == elsewhere["status"] == "ok"
    # 51 pulses into each: a response is known to 0.08 spikes, and most are larger by some
    assert there["spearman"] > 0.6
    assert there["pearson"] > 0.8
    assert elsewhere["n_false"] <= 1


def test_a_single_trial_tells_nobody(tmp_path):
    circuit = create("circuits", "balanced_ei", n_neurons=4)
    table = simlab.run(cells(circuit, (), 1), tmp_path / "run", archive=False, progress=False).table
    assert table["status"].tolist() == ["abstained"]
