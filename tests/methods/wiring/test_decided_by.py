"""Each rule finds planted edges, and refuses what the method's own test claims where nobody is connected."""

import numpy as np
import pytest
from planted_connectivity import coupled_spikes, poisson_spikes, ring_weight
from wiring_manners import independent, signal_recording

from methods.wiring._decision_rules import best, of_trials
from methods.wiring._local_fdr import local_fdr
from methods.wiring.coupling_glm import CouplingGLM
from methods.wiring.cross_correlogram import CrossCorrelogram
from methods.wiring.decided_by import ByEffectSize, ByLocalFDR, ByStability, BySurrogates, DecidedBy
from methods.wiring.glmcc import GLMCC
from methods.wiring.lagged_correlation import LaggedCorrelation
from methods.wiring.spike_count_correlation import SpikeCountCorrelation
from simlab.contracts import Method, SimlabError

TRUTH = ring_weight(8) != 0
GLM = CouplingGLM(n_history=0, n_basis=3)


@pytest.fixture(scope="module")
def ring():
    return coupled_spikes(ring_weight(8), np.random.default_rng(5), trials=24, duration=8.0)


@pytest.fixture(scope="module")
def bursty():
    return [independent("bursty", 6, 20, np.random.default_rng([seed, 6])) for seed in range(4)]


def _analyse(method, world):
    return method.analyse(world, np.random.default_rng(0))


@pytest.mark.parametrize(
    "method",
    [
        DecidedBy(CrossCorrelogram(), BySurrogates()),
        DecidedBy(CrossCorrelogram(), BySurrogates(null="trials")),
        DecidedBy(CrossCorrelogram(), BySurrogates(null="jitter", reach=0.04)),
        DecidedBy(CrossCorrelogram(), ByStability(pairs=6, false_edges=6.0)),
        DecidedBy(GLM, ByEffectSize(least=0.005, groups=5)),
        DecidedBy(GLM, ByLocalFDR()),
    ],
    ids=lambda m: f"{m.rule.name}-{getattr(m.rule, 'null', '')}",
)
def test_planted_couplings_are_found(method, ring):
    assert isinstance(method, Method)
    found = _analyse(method, ring).estimate
    assert found["decided"][TRUTH].sum() >= 7
    # a correlogram's trough beside its peak passes for inhibition the other way
    assert (found["decided"] & ~TRUTH).sum() <= 3
    np.testing.assert_array_equal(
        found["sign"][TRUTH & found["decided"]], np.sign(ring_weight(8))[TRUTH & found["decided"]]
    )
    assert ((found["p"] >= 0) & (found["p"] <= 1)).all()


def test_surrogates_refuse_what_a_poisson_test_claims_of_bursts(bursty):
    own = sum(_analyse(GLMCC(delays=(0.002,)), world).estimate["decided"].any() for world in bursty)
    matched = DecidedBy(GLMCC(delays=(0.002,)), BySurrogates(surrogates=6))
    # at .1 for each recording, P(more than 1 of 4) = .05, and these are four fixed ones
    assert own >= 2
    assert sum(_analyse(matched, world).estimate["decided"].any() for world in bursty) <= 1


def test_halves_seldom_agree_on_noise(bursty):
    # the bound: at most one false edge in a recording on average; P(more than 10 of 4 recordings) is below .01
    rule = DecidedBy(CrossCorrelogram(), ByStability(pairs=6))
    assert sum(_analyse(rule, world).estimate["decided"].sum() for world in bursty) <= 10


def test_fewer_false_edges_are_bought_with_fewer_choices():
    rule = ByStability(threshold=0.75, false_edges=2.0)
    # q^2 / ((2 x .75 - 1) x 100) <= 2
    assert rule.chosen(100) == 10
    assert ByStability(false_edges=0.5).chosen(100) == 5
    np.testing.assert_array_equal(best(np.array([[9.0, 3.0], [2.0, 9.0]]), 1), [[False, True], [False, False]])


def test_effects_that_are_certain_but_small_are_no_edges():
    weight = np.array([[0.0, 0.5], [0.0, 0.0]])
    world = coupled_spikes(weight, np.random.default_rng(1), rate=20.0, trials=20, duration=20.0)
    # exp(.5 e^(-t / 3 ms)) - 1 over some 3 ms at 20 Hz: .04 extra spikes
    assert _analyse(GLM, world).estimate["decided"][0, 1]
    assert abs(_analyse(GLM, world).notes["efficacy"][0, 1] - 0.04) < 0.02
    assert _analyse(DecidedBy(GLM, ByEffectSize(least=0.01, groups=5)), world).estimate["decided"][0, 1]
    assert not _analyse(DecidedBy(GLM, ByEffectSize(least=0.08, groups=5)), world).estimate["decided"].any()


def test_a_null_that_is_too_wide_is_taken_from_the_middle_of_the_scores():
    rng = np.random.default_rng(0)
    z = np.concatenate([2.0 * rng.standard_normal(760), rng.normal(9, 0.5, 40)])
    rate, centre, spread = local_fdr(z)
    # theory would call 760 x P(|z| > 3 / 2 sd) = 101 of them significant at z > 3
    assert abs(centre) < 0.5
    assert abs(spread - 2.0) < 0.5
    assert (rate[760:] <= 0.2).mean() > 0.9
    assert (rate[:760] <= 0.2).mean() < 0.01
    assert (np.diff(rate[np.argsort(z)][z[np.argsort(z)] > 1]) <= 1e-12).all()


def test_nothing_is_found_by_local_rate_where_nothing_is():
    worlds = [poisson_spikes(np.random.default_rng(seed), n=12, rate=8.0, trials=8) for seed in range(3)]
    found = [_analyse(DecidedBy(GLM, ByLocalFDR()), world).estimate["decided"].sum() for world in worlds]
    assert sum(found) <= 3


def test_rules_abstain_where_they_cannot_work(ring):
    one = poisson_spikes(np.random.default_rng(0), n=3, trials=1)
    rate = signal_recording(np.random.default_rng(1).normal(size=(4, 100, 3)))
    cases = (
        (DecidedBy(CrossCorrelogram(), ByStability()), one, "stability: needs at least 4 trials"),
        (DecidedBy(CrossCorrelogram(), ByLocalFDR()), one, "local_fdr: needs at least 50 tested pairs"),
        (DecidedBy(GLM, ByEffectSize()), one, "effect_size: needs at least 10 trials"),
        (DecidedBy(CrossCorrelogram(), ByEffectSize()), ring, "says nothing of efficacy"),
        (DecidedBy(CrossCorrelogram(), BySurrogates(null="trials")), one, "exchanging trials needs two"),
        (DecidedBy(LaggedCorrelation(), BySurrogates(null="jitter")), rate, "jitter moves spikes"),
        (DecidedBy(CrossCorrelogram()), rate, "needs spikes"),
    )
    for method, world, reason in cases:
        assert reason in _analyse(method, world).abstained


def test_signals_have_surrogates_too():
    rng = np.random.default_rng(2)
    trace = rng.normal(size=(10, 400, 4))
    trace[:, 1:, 1] += trace[:, :-1, 0]
    found = _analyse(DecidedBy(LaggedCorrelation(), BySurrogates()), signal_recording(trace)).estimate
    expected = np.zeros((4, 4), dtype=bool)
    expected[0, 1] = True
    np.testing.assert_array_equal(found["decided"], expected)


def test_a_choice_of_trials_keeps_their_spikes(ring):
    part = of_trials(ring, np.array([3, 7]))
    whole, kept = (ring["spike_trial"].values == trial for trial in (3, 7)), part["spike_trial"].values
    for place, where in enumerate(whole):
        np.testing.assert_array_equal(part["spike_time"].values[kept == place], ring["spike_time"].values[where])


def test_resolution_is_passed_on_and_parts_are_checked():
    assert DecidedBy(CouplingGLM()).at_resolution(0.033).method.bin_width == 0.033
    assert DecidedBy(SpikeCountCorrelation()).at_resolution(0.033).method == SpikeCountCorrelation()
    with pytest.raises(SimlabError, match="rule must be"):
        DecidedBy(rule="surrogates")
    with pytest.raises(SimlabError, match="method must be"):
        DecidedBy(method=CrossCorrelogram)
    with pytest.raises(SimlabError, match="reach"):
        BySurrogates(reach=-1.0)


@pytest.mark.parametrize("rule", [BySurrogates(surrogates=3), ByEffectSize("weight", least=0.005, groups=3)])
def test_a_rule_keeps_the_weights_that_the_method_estimated(rule):
    short = coupled_spikes(ring_weight(4), np.random.default_rng(5), trials=3, duration=8.0)
    weights = _analyse(GLM, short).estimate["weight"]
    assert np.array_equal(_analyse(DecidedBy(GLM, rule), short).estimate["weight"], weights)
    assert np.any(weights)
