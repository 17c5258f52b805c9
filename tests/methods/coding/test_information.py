"""Estimates of information: their bias, their intervals, their verdicts, and what leaks add."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from circuits.coding.discrimination import Discrimination
from circuits.coding.feedforward_hypercolumn import FeedforwardHypercolumn
from circuits.coding.harmless_noise import HarmlessNoise
from circuits.coding.hypercolumn import Hypercolumn
from circuits.coding.information_limiting import InformationLimiting
from methods.coding._discrimination import Seen, distance, interval, separate, sums, unbiased
from methods.coding.corrected_information import CorrectedInformation
from methods.coding.decoded_information import DecodedInformation
from methods.coding.differential_noise import DifferentialNoise, excess
from methods.coding.information_scaling import InformationScaling, dealt
from methods.coding.naive_information import NaiveInformation
from methods.coding.shuffled_information import ShuffledInformation
from simlab.instruments.recording.perfect import Perfect
from simlab.questions.information import Information
from simlab.streams import stream

QUESTION = Information()
METHODS = (
    NaiveInformation(), CorrectedInformation(), ShuffledInformation(), InformationScaling(), DecodedInformation(),
)  # fmt: skip
SMALL = InformationLimiting(n_neurons=30)
UNTUNED = InformationLimiting(n_neurons=30, sharpness=0.0, peak=3.0)


def recorded(circuit, trials, seed=1) -> tuple[xr.Dataset, xr.Dataset]:
    subject = circuit.subject(stream(seed, "subject"))
    session = subject.session(trials=trials, duration=0.5, rng=stream(seed, "session"))
    activity = subject.run(session, stream(seed, "run"))
    implant = Perfect().implant(subject.anatomy, stream(seed, "implant"))
    told = subject.truth("information", activity, stream(seed, "truth"))
    brief = QUESTION.brief((), told)
    truth = QUESTION.project(told, implant.key).assign_attrs(brief=brief)
    return implant.record(activity, stream(seed, "record")).assign_attrs(brief=brief), truth


@pytest.fixture(scope="module")
def worlds():
    return {circuit.name: recorded(circuit, 1000) for circuit in (SMALL, HarmlessNoise(like=SMALL))}


def found(method, recording) -> dict:
    return dict(method.analyse(recording, stream(1, method.name)).estimate)


def gaussian(rng, trials=(9, 12), units=4, square=3.0) -> Seen:
    """Correlated Gaussian units whose true d^2 is `square`."""
    mix = np.tri(units) + np.eye(units)
    slope = mix @ np.full(units, np.sqrt(square / units))
    larger = np.arange(sum(trials)) < trials[0]
    return Seen(rng.standard_normal((len(larger), units)) @ mix.T + larger[:, None] * slope, larger, 1.0)


def test_the_correction_is_right_on_average_and_the_interval_covers_as_it_says():
    """1,000 draws of 21 trials: d^2 has a standard error of .1, coverage one of .013."""
    from scipy.stats import ncf

    rng = np.random.default_rng(0)
    told = [sums(gaussian(rng)) for _ in range(1000)]
    squares = np.array([distance(t)[0] for t in told])
    freedom, spread = told[0].freedom, told[0].spread
    assert (freedom, spread) == (19, pytest.approx(1 / 9 + 1 / 12))
    assert np.mean(unbiased(squares, 4, freedom, spread)) == pytest.approx(3.0, abs=0.3)
    assert squares.mean() > 4.5
    f = squares / spread * 16 / (19 * 4)
    assert np.mean(np.abs(ncf.cdf(f, 4, 16, 3.0 / spread) - 0.5) < 0.4) == pytest.approx(0.8, abs=0.04)
    ends = np.array([interval(square, 4, freedom, spread, 0.2) for square in squares[:8]])
    assert ncf.cdf(f[:8], 4, 16, ends[:, 1] / spread) == pytest.approx(np.full(8, 0.1), abs=1e-4)
    above = ends[:, 0] > 0
    assert ncf.cdf(f[:8], 4, 16, ends[:, 0] / spread)[above] == pytest.approx(np.full(above.sum(), 0.9), abs=1e-4)
    assert interval(0.01, 4, freedom, spread, 0.05) == (0.0, 0.0)


def test_a_unit_that_copies_another_adds_no_dimension():
    known = gaussian(np.random.default_rng(1), (40, 40))
    twice = known._replace(activity=np.column_stack([known.activity, known.activity[:, :2]]))
    assert distance(sums(twice)) == (pytest.approx(distance(sums(known))[0]), 4)


def test_all_but_the_shuffled_see_what_is_there(worlds):
    for recording, truth in worlds.values():
        true = float(truth["information"])
        for method in METHODS:
            if method.name != "shuffled_information":
                assert found(method, recording)["information"] == pytest.approx(true, rel=0.25), method.name


def test_shuffling_overstates_what_is_limited_and_only_that(worlds):
    over = {}
    for name, (recording, truth) in worlds.items():
        over[name] = found(ShuffledInformation(), recording)["information"] / float(truth["information"])
    assert over["information_limiting"] > 2
    assert 0.75 < over["harmless_noise"] < 1.1


def test_halves_betray_a_limit_and_see_none_where_there_is_none(worlds):
    for recording, truth in worlds.values():
        assert found(InformationScaling(), recording)["saturates"] == bool(truth["saturates"])


def test_groups_hold_as_many_trials_of_either_stimulus():
    larger = np.arange(60) < 20
    group = dealt(larger, 5, np.random.default_rng(0))
    assert np.bincount(group[larger]).tolist() == [4] * 5
    assert np.bincount(group[~larger]).tolist() == [8] * 5


def test_each_unit_alone_has_its_own_distance():
    known = gaussian(np.random.default_rng(2), (400, 400))
    t = [distance(sums(known._replace(activity=known.activity[:, [unit]])))[0] for unit in range(4)]
    assert separate(known) == pytest.approx(np.array(t) * (798 - 2) / 798 - 2 / 400)


def test_leaks_find_information_in_nothing():
    """Means over eight sessions of 60 trials without any: honest decoders show none, leaking ones d'^2 of .2 more."""
    blocks = replace(UNTUNED, drift=0.6, task=Discrimination(order="blocks", block=15))
    leaks = {
        "training": (UNTUNED, {"by": "ridge"}, {"scored_on": "training"}),
        "selection": (UNTUNED, {"by": "bayes", "n_best": 4}, {"chosen_on": "all"}),
        "neighbours": (blocks, {"by": "bayes", "n_folds": 3}, {"folds": "shuffled"}),
    }
    for name, (circuit, honest, leak) in leaks.items():
        sessions = [recorded(circuit, 60, seed)[0] for seed in range(8)]
        said = [
            np.mean([found(DecodedInformation(**way), one)["information"] for one in sessions]) * 0.15**2
            for way in (honest, honest | leak)
        ]
        assert said[0] < 0.15, name
        assert said[1] > said[0] + 0.2, name


@pytest.mark.parametrize("circuit", [SMALL, HarmlessNoise(), Hypercolumn(), FeedforwardHypercolumn()])
def test_the_direction_of_noise_tells_mechanisms_apart(circuit):
    names = ("noise along the code", "noise across the code")
    if "hypercolumn" in circuit.name:
        names = ("recurrent sharpening", "feedforward sharpening")
    recording = recorded(circuit, 200)[0].assign_attrs(brief={"candidates": names})
    method = DifferentialNoise(*names)
    assert found(method, recording)["label"] == circuit.mechanism
    other = recording.assign_attrs(brief={"candidates": ("this", "that")})
    assert "the candidates are" in method.analyse(other, stream(1, "x")).abstained


def test_excess_is_the_variance_along_the_change_beyond_that_of_independent_units():
    """Units of unit variance, correlated by .3 and moved alike: d^T (R - 1) d = .3 (n - 1)."""
    rng, larger = np.random.default_rng(0), np.arange(4000) % 2 == 0
    noise = np.sqrt(0.7) * rng.standard_normal((4000, 5)) + np.sqrt(0.3) * rng.standard_normal((4000, 1))
    along, turned = excess(Seen(noise + larger[:, None], larger, 1.0), np.array([[1.0] * 5, [1, 1, 1, -1, -1]]), rng)
    assert along == pytest.approx(1.2, abs=0.15)
    assert turned[0] == pytest.approx(0.3 * (1 / 5 - 1), abs=0.1)


def test_they_abstain_with_a_reason(worlds):
    recording = worlds["information_limiting"][0]
    few = recorded(SMALL, 24)[0]
    for method in METHODS:
        assert "stimulus" in method.analyse(recording.drop_vars("stimulus"), stream(1, "x")).abstained
        constant = recording.assign(stimulus=recording["stimulus"] * 0)
        assert "two stimuli" in method.analyse(constant, stream(1, "x")).abstained
        silent = recording.isel(spike=slice(0, 0))
        assert "varies" in method.analyse(silent, stream(1, "x")).abstained
    for method in (NaiveInformation(), CorrectedInformation(), InformationScaling()):
        assert "24 trials are too few" in method.analyse(few, stream(1, "x")).abstained
    other = recording.assign_attrs(brief={"feature": "contrast"})
    assert "contrast is asked about" in NaiveInformation().analyse(other, stream(1, "x")).abstained
