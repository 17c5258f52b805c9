"""Measures of similarity on patterns whose likeness is known, and on populations that share a code or only noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuits.coding.common_fluctuations import CommonFluctuations
from circuits.coding.private_codes import PrivateCodes
from circuits.coding.shared_code import SharedCode
from methods.similarity import cka, procrustes_distance, rsa
from methods.similarity._populations import Pair, pair, repeats
from methods.similarity.canonical_similarity import CanonicalSimilarity, held_out, variates
from methods.similarity.cka import Cka
from methods.similarity.linear_predictivity import LinearPredictivity, Regression
from methods.similarity.procrustes_distance import ProcrustesDistance
from methods.similarity.rsa import Rsa
from simlab.instruments.recording.perfect import Perfect
from simlab.lab.blinding import BlindImplant
from simlab.lab.regions import drawn
from simlab.streams import stream

CROSSNOBIS = Rsa("crossnobis", "other_repeats")
GEOMETRIES = (Rsa(), Rsa("cross_validated"), Cka(debiased=True), CROSSNOBIS, Rsa("crossnobis"), Rsa(other_trials=True))
"""The first three are fooled by what moves both populations in the same trials."""
METHODS = (
    Rsa(),
    CROSSNOBIS,
    Cka(),
    Cka(debiased=True),
    ProcrustesDistance(),
    CanonicalSimilarity(permutations=60),
    LinearPredictivity(permutations=60),
)


def recorded(circuit, seed=2, trials=144):
    subject = circuit.subject(stream(seed, "subject"))
    session = subject.session(trials=trials, duration=0.5, rng=stream(seed, "session"))
    implant = Perfect().implant(subject.anatomy, stream(seed, "implant"))
    blind = BlindImplant(implant, stream(seed, "blind"), subject.anatomy, drawn(subject.anatomy, stream(seed, "names")))
    return blind.record(subject.run(session, stream(seed, "run")), stream(seed, "record"))


@pytest.fixture(scope="module")
def worlds():
    clear = SharedCode(depth=0.35)
    circuits = {"shared": clear, "private": PrivateCodes(clear)}
    return {name: recorded(circuit) for name, circuit in circuits.items()}


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_a_shared_code_is_found_and_private_ones_are_not(method, worlds):
    alike, apart = (method.analyse(worlds[name], stream(1, "m")) for name in ("shared", "private"))
    assert alike.estimate["shared"]
    assert alike.confidence > 0.5
    assert not apart.estimate["shared"]
    assert alike.estimate["similarity"] > apart.estimate["similarity"] + 0.2


def test_a_common_gain_fools_what_looks_at_the_same_trials_unless_its_direction_counts_little():
    seen = [recorded(CommonFluctuations(SharedCode(depth=0.15)), seed, 96) for seed in range(6)]
    alike = [
        np.mean([method.analyse(recording, stream(1, "m")).notes["likeness"] for recording in seen])
        for method in (replace(m, permutations=1) for m in GEOMETRIES)
    ]
    # distances of unrelated codes correlate by .1 or so, of six pairs by .04: three such
    assert min(alike[:3]) > 0.15
    assert np.abs(alike[3:]).max() < 0.12


def test_distances_and_their_correlations_are_those_of_rsatoolbox():
    r, k, u = np.indices((3, 4, 5))
    x, y = np.sin(1.7 * r + 2.3 * k * u + 0.9 * u + k), np.cos(0.4 * r + 1.1 * k * u + 1.9 * u + k * k)
    upper, one, other = np.triu_indices(4, 1), rsa.distances(x, True), rsa.distances(y, True)
    # rsatoolbox 0.3.2: calc_rdm of euclidean and (without a noise precision) crossnobis distances, and compare
    assert rsa.distances(x, False)[upper] == pytest.approx(
        [0.03809395, 0.11538482, 0.0905631, 0.03911629, 0.05106079, 0.03984868]
    )
    assert one[upper] == pytest.approx([-0.55827325, -0.2205287, -0.48851034, -0.5541415, -0.48048995, -0.5511816])
    for compare, expected in (("pearson", 0.7269152), ("cosine", -0.84653444), ("spearman", 0.54285714)):
        tables = [rsa.scored(table, upper, compare) for table in (one, other)]
        assert (tables[0] * tables[1])[upper].sum() == pytest.approx(expected)


def test_unbiased_moments_are_those_of_their_definitions():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 5, 4))
    crossed = [(x[r, 1] - x[r, 3]) @ (x[q, 1] - x[q, 3]) for r in range(3) for q in range(3) if r != q]
    assert rsa.distances(x, True)[1, 3] == pytest.approx(np.mean(crossed) / 4)
    assert rsa.distances(x, False)[1, 3] == pytest.approx(((x.mean(0)[1] - x.mean(0)[3]) ** 2).mean())
    k, u = (p @ p.T * (1 - np.eye(6)) for p in (rng.standard_normal((6, 3)), rng.standard_normal((6, 2))))
    n = 6  # Song et al. 2012, equation 5
    song = np.trace(k @ u) + k.sum() * u.sum() / ((n - 1) * (n - 2)) - 2 * (k @ u).sum() / (n - 2)
    rng = np.random.default_rng(0)
    rng.standard_normal((3, 5, 4))
    one, other = (cka.centred(rng.standard_normal((6, d)), True) for d in (3, 2))
    assert (one * other).sum() == pytest.approx(song)


def test_noise_alone_looks_alike_to_biased_measures_as_theory_has_it():
    rng = np.random.default_rng(1)
    biased, unbiased = [], []
    for _ in range(200):
        x, y = (rng.standard_normal((20, d)) for d in (30, 10))
        for debiased, kept in ((False, biased), (True, unbiased)):
            one, other = cka.centred(x, debiased), cka.centred(y, debiased)
            kept.append((one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum()))
    # E tr(W W') = p q m and E tr(W^2) = p m (p + m + 1) of Wishart matrices with m = n - 1 degrees of freedom
    assert np.mean(biased) == pytest.approx(np.sqrt(30 * 10 / ((30 + 20) * (10 + 20))), abs=0.02)
    assert np.mean(unbiased) == pytest.approx(0, abs=0.03)


def test_rotations_scales_and_other_neurons_leave_a_shape_as_it_is():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((12, 5))
    x -= x.mean(axis=0)
    turned = 3 * x @ np.linalg.qr(rng.standard_normal((9, 5)))[0].T
    one, other = procrustes_distance.in_own_axes(x), procrustes_distance.in_own_axes(turned)
    assert procrustes_distance.cosine(one, other) == pytest.approx(1)
    assert rsa.scored(rsa.distances(x[None], False), np.triu_indices(12, 1), "pearson") == pytest.approx(
        rsa.scored(rsa.distances(turned[None], False), np.triu_indices(12, 1), "pearson")
    )


def test_a_noise_free_linear_image_is_foretold_and_noise_is_not():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((60, 4))
    x -= x.mean(axis=0)
    image, noise = x @ rng.standard_normal((4, 6)), rng.standard_normal((60, 6))
    fitted = Regression.on(x, 6)
    assert fitted.foretold(image) / (image**2).sum() > 0.99
    assert fitted.foretold(noise) / (noise**2).sum() < 0.05
    fold = np.arange(60) % 6
    assert held_out(x, image[:, :4], fold, True) > 0.99
    assert held_out(x, noise[:, :4], fold, True) < 0.15 < held_out(x, noise[:, :4], 0 * fold, False) + 0.1
    # leaving one out in closed form is leaving it out
    _, train, _, misses = fitted.folds[0]
    gone, kept = train[0], train[1:]
    moved = x - x[kept].mean(axis=0)
    ridge = 1e-2 * np.trace((x[train] - x[train].mean(0)) @ (x[train] - x[train].mean(0)).T) / len(train)
    weights = np.linalg.solve(
        moved[kept].T @ moved[kept] + ridge * np.eye(4), moved[kept].T @ (noise[kept] - noise[kept].mean(0))
    )
    assert (misses[0] @ noise[train])[0] == pytest.approx(noise[gone] - noise[kept].mean(0) - moved[gone] @ weights)


def test_a_component_that_the_stimuli_of_the_fit_lack_gets_no_weight_whatever_the_unit_of_measurement():
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((2, 20, 3))
    train = np.arange(20) < 16
    new = np.where(train, 0.0, 1.0)[:, None]  # seen in the others alone
    for scale in (1.0, 1e-13):
        with_new = variates(scale * np.hstack([one, new]), scale * other, train)
        for found, without in zip(with_new, variates(one, other, train), strict=True):
            np.testing.assert_allclose(np.abs(found), np.abs(without), atol=1e-6)


def test_a_window_sees_what_falls_into_it(worlds):
    early, whole = (pair(worlds["shared"], Rsa.needs, window=window) for window in (0.1, 20.0))
    assert (early.one**2).sum() == pytest.approx((whole.one**2).sum() / 5, rel=0.1)  # squared roots: spikes


def test_repeats_are_counted_in_their_order_and_rare_stimuli_are_left_out():
    assert repeats(np.array([5, 2, 2, 5, 7, 5])).tolist() == [[1, 0], [2, 3]]
    assert repeats(np.array([1, 2, 3])).size == 0


def test_in_other_trials_populations_share_none(worlds):
    whole, halves = (pair(worlds["shared"], Rsa.needs, other_trials=apart) for apart in (False, True))
    assert isinstance(whole, Pair)
    assert (len(whole.one), len(halves.one), len(halves.other)) == (6, 3, 3)
    assert halves.one[1] == pytest.approx(whole.one[2])
    assert halves.other[1] == pytest.approx(whole.other[3])


def test_what_is_missing_is_the_reason_to_abstain(worlds):
    seen = worlds["shared"]
    reasons = {
        "two populations of 2 active units each, got [80]": seen.drop_vars("unit_region"),
        "6 stimuli that were shown 2 times each, got 0": recorded(SharedCode(), trials=20),
        "conditions": seen.drop_vars("condition"),
    }
    for reason, recording in reasons.items():
        assert reason in Rsa().analyse(recording, stream(1, "m")).abstained
    few = recorded(SharedCode(), trials=48)
    assert "need 4 repeats, got 2" in CROSSNOBIS.analyse(few, stream(1, "m")).abstained
    assert (
        "nothing" in LinearPredictivity().analyse(recorded(replace(SharedCode(), depth=0.0)), stream(9, "m")).abstained
    )
    assert "stimuli to fit" in CanonicalSimilarity(components=12).analyse(seen, stream(1, "m")).abstained
