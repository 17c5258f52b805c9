"""Whatever two populations are shown, measures of similarity answer in form or name what the recording lacks."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pytest
import xarray as xr

import simlab
from circuits.latent.shared_flow import flowing
from methods.similarity.canonical_similarity import CanonicalSimilarity
from methods.similarity.cka import Cka
from methods.similarity.dynamical_similarity import DynamicalSimilarity
from methods.similarity.linear_predictivity import LinearPredictivity
from methods.similarity.procrustes_distance import ProcrustesDistance
from methods.similarity.rsa import Rsa
from simlab import truths
from simlab.contracts import Finding
from simlab.data import recording
from simlab.questions.similarity import Similarity

QUESTION, TRUTH = Similarity(), truths.one(similarity=1.0, shared=True)
UNITS, STIMULI, REPEATS = 8, 12, 4
FEW = {"permutations": 1}
METHODS = (
    Rsa(**FEW),
    Rsa("mahalanobis", **FEW),
    Rsa("crossnobis", "other_repeats", **FEW),
    Cka(debiased=True, **FEW),
    ProcrustesDistance(**FEW),
    CanonicalSimilarity(components=2, **FEW),
    LinearPredictivity(**FEW),
)
SHOWN = np.tile(np.arange(STIMULI), REPEATS)


def patterns(seed: int = 0, noise: float = 0.3) -> np.ndarray:
    """(trial, unit): both populations read three features of the stimulus."""
    rng = np.random.default_rng(seed)
    weights, stimuli = rng.standard_normal((3, UNITS)), rng.standard_normal((STIMULI, 3))
    return (stimuli @ weights)[SHOWN] + noise * rng.standard_normal((len(SHOWN), UNITS))


def traced(values: np.ndarray, **variables: object) -> xr.Dataset:
    """A recording of rates that are constant within a trial, values (trial, unit)."""
    given = {"condition": SHOWN[: len(values)], "unit_region": np.arange(values.shape[1]) % 2} | variables
    signal = np.repeat(values[:, None], 4, axis=1)
    return recording(
        duration=0.4, n_units=values.shape[1], n_trials=len(values), signal=signal, modality="rate",
        sample_time=0.05 + 0.1 * np.arange(4), **{name: value for name, value in given.items() if value is not None},
    )  # fmt: skip


def counted(counts: np.ndarray, **variables: object) -> xr.Dataset:
    """A recording of so many spikes (trial, unit), evenly in each trial."""
    trial, unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    when = np.random.default_rng(1).uniform(0, 0.4, len(trial))
    given = {"condition": SHOWN[: len(counts)], "unit_region": np.arange(counts.shape[1]) % 2} | variables
    return recording(
        duration=0.4, n_units=counts.shape[1], n_trials=len(counts), spikes=(trial, when, unit), **given
    )  # fmt: skip


def poisson() -> np.ndarray:
    return np.random.default_rng(2).poisson(np.exp(1 + 0.5 * patterns()))


def changed(values: np.ndarray, where: object, value: float) -> np.ndarray:
    values = values.copy()
    values[where] = value
    return values


LACKING = {
    "two populations of 2 active units each, got [8]": lambda: traced(patterns(), unit_region=np.zeros(UNITS, int)),
    "two populations of 2 active units each, got [3, 3, 2]": lambda: traced(patterns(), unit_region=np.arange(8) % 3),
    "two populations of 2 active units each, got [4, 1]": lambda: traced(changed(patterns(), np.s_[:, [1, 3, 5]], 2.0)),
    "two populations of 2 active units each, got [4, 0]": lambda: counted(changed(poisson(), np.s_[:, 1::2], 0)),
    "two populations of 2 active units each, got [0, 0]": lambda: counted(np.zeros((48, UNITS), int)),
    "two populations of 2 active units each, got [1, 4]": lambda: traced(
        changed(patterns(), ([0, 5, 9], [0, 2, 4]), np.nan)
    ),
    "conditions": lambda: traced(patterns(), condition=None),
    "6 stimuli that were shown 2 times each, got 1": lambda: traced(patterns(), condition=np.zeros(48, int)),
    "6 stimuli that were shown 2 times each, got 5": lambda: traced(patterns(), condition=np.arange(48) % 5),
    "6 stimuli that were shown 2 times each, got 0": lambda: traced(patterns(), condition=np.arange(48)),
    "6 stimuli that were shown 2 times each, got 4": lambda: counted(poisson()[:16]),
    "at least 4 units, got 3": lambda: traced(patterns()[:, :3]),
    "at least 12 trials, got 11": lambda: traced(patterns()[:11]),
}
"""What a reason must say, and the recording."""

ODD = {
    "a silent unit": lambda: counted(changed(poisson(), np.s_[:, 2], 0)),
    "a unit with as many spikes in every trial": lambda: counted(changed(poisson(), np.s_[:, 3], 20)),
    "a single spike of a unit": lambda: counted(changed(changed(poisson(), np.s_[:, 4], 0), (7, 4), 1)),
    "untuned units": lambda: counted(np.random.default_rng(3).poisson(4.0, (48, UNITS))),
    "a gap in one unit": lambda: traced(changed(patterns(), (3, 2), np.nan)),
    "an infinite sample": lambda: traced(changed(patterns(), (3, 2), np.inf)),
    "repeats without noise": lambda: traced(patterns(noise=0.0)),
    "doubled units": lambda: traced(patterns()[:, [0, 1, 0, 1, 0, 1, 2, 3]]),
    "populations of copies": lambda: traced(patterns()[:, [0, 0, 1, 1, 2, 2, 3, 3]]),
    "huge values": lambda: traced(1e12 * patterns()),
    "tiny values": lambda: traced(1e-14 * patterns()),
    "a stimulus that was shown once": lambda: traced(patterns(), condition=np.r_[99, SHOWN[1:]]),
    "stimuli in numbers of any kind": lambda: traced(patterns(), condition=1000 - 7 * SHOWN),
    "regions in numbers of any kind": lambda: traced(patterns(), unit_region=5 + 4 * (np.arange(UNITS) % 2)),
    "more units than stimuli": lambda: traced(np.tile(patterns(), 4) + patterns(1)[:, [0]] * np.arange(32)),
    "one unit that tells two stimuli apart": lambda: traced(changed(patterns(), np.s_[SHOWN > 1, 0], 0.0)),
    "trials of two repeats": lambda: counted(poisson()[:24]),
}


@pytest.fixture(scope="module")
def lacking() -> dict[str, xr.Dataset]:
    return {reason: world() for reason, world in LACKING.items()}


@pytest.fixture(scope="module")
def odd() -> dict[str, xr.Dataset]:
    return {what: world() for what, world in ODD.items()}


def answered(method: object, world: xr.Dataset) -> Finding:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        return method.analyse(world, np.random.default_rng(0))


@pytest.mark.parametrize("method", {method.name: method for method in METHODS}.values(), ids=lambda method: method.name)
def test_what_is_lacking_is_the_reason_whatever_the_measure(method, lacking):
    told = {reason: answered(method, world).abstained for reason, world in lacking.items()}
    assert {reason: said for reason, said in told.items() if not said or reason not in said} == {}


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_an_odd_recording_is_answered_by_a_number_or_with_a_reason(method, odd):
    answers, wrong = 0, {}
    for what, world in odd.items():
        finding = answered(method, world)
        if finding.abstained:
            wrong |= {} if len(finding.abstained) > 20 else {what: finding.abstained}
            continue
        answers += 1
        assert QUESTION.score(finding, TRUTH)["correct"] in (0, 1)  # in the question's form
        likeness = finding.notes["likeness"], finding.notes["by_chance"], float(finding.estimate["similarity"])
        wrong |= {} if np.isfinite(likeness).all() else {what: likeness}
    assert wrong == {}
    assert answers >= 13


@pytest.mark.parametrize("distance", ["mahalanobis", "crossnobis"])
def test_where_repeats_do_not_differ_there_is_no_noise_to_whiten_by(distance):
    finding = answered(Rsa(distance), traced(patterns(noise=0.0)))
    assert "no noise" in finding.abstained


def test_a_window_without_a_sample_is_a_reason_to_abstain():
    for method in (Rsa(window=0.01), Cka(window=0.01), LinearPredictivity(window=0.01)):
        assert "widen the window" in answered(method, traced(patterns())).abstained


FLOW = DynamicalSimilarity(splits=1, delays=3, rank=4)


@cache
def flows(units: int = 16, trials: int = 6, bins: int = 60) -> np.ndarray:
    """(trial, bin, unit): states of one flow for either population, read by units of either."""
    rng = np.random.default_rng(4)
    states = [flowing(-2 + 6j * np.pi * np.ones(1), np.zeros((trials, 2)), bins, 0.02, rng) for _ in (0, 1)]
    read = np.stack([states[k % 2] @ rng.standard_normal(2) for k in range(units)], axis=2)
    return read + 0.1 * rng.standard_normal(read.shape)


def sampled(values: np.ndarray, region: np.ndarray | None = None) -> xr.Dataset:
    trials, bins, units = values.shape
    region = np.arange(units) % 2 if region is None else region
    return recording(
        duration=bins * 0.02, n_units=units, n_trials=trials, signal=values, modality="rate",
        sample_time=0.02 * np.arange(bins), unit_region=region,
    )  # fmt: skip


FLOWLESS = {
    "all units of this recording are of one": lambda: sampled(flows()).drop_vars("unit_region"),
    "two populations of 4 active units each, got [6, 5, 5]": lambda: sampled(flows(), np.arange(16) // 5.5 // 1),
    "two populations of 4 active units each, got [8, 3]": lambda: sampled(changed(flows(), np.s_[:, :, 7::2], 1.0)),
    "at least 4 units, got 3": lambda: sampled(flows(3)),
    "at least 4 trials, got 3": lambda: sampled(flows(trials=3, bins=100)),
    "at least 5 s of recording, got 4.8 s": lambda: sampled(flows(trials=4)),
    "gaps": lambda: sampled(changed(flows(), (1, 30, 3), np.nan)),
    "trials of 11 bins are too short for 3 delays": lambda: sampled(flows(trials=30, bins=11)),
}


@pytest.mark.parametrize("reason", FLOWLESS)
def test_what_a_flow_cannot_be_read_from_is_named(reason):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        assert reason in str(simlab.analyse(FLOW, FLOWLESS[reason]()).abstained)


@pytest.mark.parametrize(
    "values",
    [
        flows(),
        flows()[:, :, [0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3]],
        changed(flows(), np.s_[0, :, 4], 1.0),
    ],
    ids=["as it is", "doubled units", "a unit constant in one trial"],
)
def test_one_flow_is_no_further_apart_than_halves_of_a_population(values):
    finding = answered(FLOW, sampled(values))
    assert 0 <= finding.notes["between"] <= 1
    assert float(finding.estimate["similarity"]) == pytest.approx(1 - finding.notes["between"])
    assert bool(finding.estimate["shared"]) == (finding.notes["between"] <= finding.notes["limit"])
