"""Two populations with one code, with two, and with two and a common gain: what moves them, and how much."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import simlab
from circuits.coding.common_fluctuations import CommonFluctuations
from circuits.coding.confounded_codes import ConfoundedCodes
from circuits.coding.private_codes import PrivateCodes
from circuits.coding.shared_code import SharedCode
from simlab.activity_statistics import fano_factors, interval_cv
from simlab.contracts import SimlabError
from simlab.data import in_window, mean_rates
from simlab.instruments.recording.perfect import Perfect
from simlab.questions.similarity import Similarity
from simlab.session import Session
from simlab.streams import stream

RATES = SharedCode(model="rate")
WORLDS = {"shared": SharedCode(), "private": PrivateCodes(), "common": CommonFluctuations()}


def ran(circuit, trials=96, seed=3):
    subject = circuit.subject(stream(seed, "subject"))
    session = subject.session(trials=trials, duration=0.5, rng=stream(seed, "session"))
    return subject, subject.run(session, stream(seed, "run"))


@pytest.fixture(scope="module")
def worlds():
    return {name: ran(circuit) for name, circuit in WORLDS.items()}


@pytest.mark.parametrize(
    "name", ["shared_code", "private_codes", "common_fluctuations", "confounded_codes", "similarity"]
)
def test_they_keep_the_contract(name):
    assert simlab.check(name).ok


def test_blocks_show_each_stimulus_once():
    for order in ("random", "fixed"):
        told = SharedCode(order=order).task(50, 0.5, np.random.default_rng(0)).conditions
        assert sorted(told[:24]) == sorted(told[24:48]) == list(range(24))
        assert (told[:24] == told[24:48]) == (order == "fixed")


@pytest.mark.parametrize(
    ("circuit", "share"), [(RATES, 1.0), (replace(RATES, n_shared=2), 0.5), (PrivateCodes(RATES), 0)]
)
def test_the_truth_is_what_noise_free_responses_say(circuit, share):
    quiet = replace(getattr(circuit, "like", circuit), gain=0.0, n_neurons=30, rate_spread=0.0, n_stimuli=800)
    circuit = replace(circuit, like=quiet) if hasattr(circuit, "like") else quiet
    subject, activity = ran(circuit, trials=800)
    rate, population = in_window(activity, 0.0, 0.5), subject.parts["population"]
    one, other = (rate[:, population == p] - rate[:, population == p].mean(axis=0) for p in (0, 1))
    left = other - one @ np.linalg.lstsq(one, other, rcond=1e-2)[0]  # some rates are cut at 0: small singular values
    implant = Perfect().implant(subject.anatomy, stream(1, "implant"))
    told = float(Similarity().project(subject.truth("similarity", activity, stream(1, "t")), implant.key)["similarity"])
    assert told == pytest.approx(share, abs=0.15)  # of two features of four: 15 neurons each scatter about a half
    assert 1 - (left**2).sum() / (other**2).sum() == pytest.approx(told, abs=0.12)


def test_features_that_go_together_make_the_responses_of_a_shared_code():
    subject, activity = ran(ConfoundedCodes(RATES))
    stimuli, number = subject.parts["stimuli"], RATES.n_features
    assert (stimuli[:, :number] == stimuli[:, number:]).all()
    weights = subject.parts["readout"]
    assert not (weights[:, :number].any(axis=1) & weights[:, number:].any(axis=1)).any()  # nobody reads both
    folded = {**subject.parts, "stimuli": stimuli[:, :number], "readout": weights[:, :number] + weights[:, number:]}
    session = subject.session(trials=96, duration=0.5, rng=stream(3, "session"))
    shared = RATES.course(folded, session, stream(3, "run")).rate
    own = subject.circuit.course(subject.parts, session, stream(3, "run")).rate
    assert shared == pytest.approx(own)
    implant = Perfect().implant(subject.anatomy, stream(1, "implant"))
    truth = Similarity().project(subject.truth("similarity", activity, stream(1, "t")), implant.key)
    assert float(truth["similarity"]) == pytest.approx(0)


def test_rates_have_the_variances_of_the_equations():
    circuit = replace(RATES, drift=0.2, drift_time=3.0, n_stimuli=200)
    subject, activity = ran(circuit, trials=4000)
    moved = in_window(activity, 0.0, 0.5) / subject.parts["base"] - 1
    together = subject.parts["together"]
    expected = 0.25**2 + 0.3**2 * together**2 + 0.2**2
    assert (moved.var(axis=0) / expected).mean() == pytest.approx(1, abs=0.03)
    assert (moved[1:] * moved[:-1]).mean() == pytest.approx(0.2**2 * np.exp(-1 / 3), abs=0.005)


def test_drifts_forget_over_a_rest():
    drift = replace(SharedCode(), drift=0.5, drift_time=20.0, rest=1000.0, n_stimuli=10)._drifts(2000, stream(1, "d"))
    lag = (drift[1:] * drift[:-1]).mean(axis=1)
    after = np.arange(1, 2000) % 10 == 0
    assert lag[~after].mean() == pytest.approx(np.exp(-1 / 20), abs=0.05)
    assert lag[after].mean() == pytest.approx(0, abs=0.05)
    assert drift.var() == pytest.approx(1, abs=0.03)


def test_only_a_common_gain_correlates_populations_beyond_the_stimuli(worlds):
    found = {}
    for name, (subject, activity) in worlds.items():
        counts, population = in_window(activity, 0.0, 0.5), subject.parts["population"]
        condition = activity["condition"].values
        for k in np.unique(condition):
            counts[condition == k] -= counts[condition == k].mean(axis=0)
        r = np.corrcoef(counts.T)
        within = r[population == 0][:, population == 0][np.triu_indices(40, 1)].mean()
        found[name] = (within, r[population == 0][:, population == 1].mean())
        assert 0.05 < within < 0.35  # Cohen & Kohn 2011, Nat Neurosci 14:811: .1 to .2, more where gains vary
    # two gains of 72 degrees of freedom correlate by .12 by chance, and neurons by a quarter of that: four such
    assert found["common"][1] > 0.15
    assert abs(found["private"][1]) < 0.12
    assert abs(found["shared"][1]) < 0.12


def test_rates_and_irregularity_are_alike_and_those_of_cortex(worlds):
    rates = [mean_rates(activity).mean() for _, activity in worlds.values()]
    assert np.ptp(rates) < 0.05 * np.mean(rates)
    for _, activity in worlds.values():
        assert 7 < mean_rates(activity).mean() < 16
        assert 0.7 < np.nanmean(interval_cv(activity)) < 1.3
        assert 1.0 < np.nanmean(fano_factors(activity)) < 2.5


def test_impossible_stimuli_are_refused_and_no_stimulus_is_no_response():
    with pytest.raises(SimlabError, match="n_shared must be at most n_features, 4, got 5"):
        SharedCode(n_shared=5)
    subject = RATES.subject(stream(1, "s"))
    quiet = subject.run(Session(3, 0.5), stream(1, "r"))
    assert not quiet["latent"].values.any()
