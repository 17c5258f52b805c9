"""What each passive reading of roles gets right, and the mistake that is known of it; areas as in `parts_rigs`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from parts_rigs import BOTH, EITHER, NOBODY, PATH, recorded, subject

import simlab
from methods.roles.correlation_clustering import CorrelationClustering
from methods.roles.decoder_weights import DecoderWeights
from methods.roles.granger_to_behaviour import GrangerToBehaviour
from methods.roles.outcome_correlation import OutcomeCorrelation
from methods.roles.stimulus_tuning import StimulusTuning
from methods.roles.variance_explained import VarianceExplained
from simlab.data import recording

WORLDS = {"either": EITHER, "both": BOTH, "path": PATH, "nobody": NOBODY}
SIGNS = np.array([[1.0, 1.0, -1.0, 0.0]])
"""Of four units in a made-up recording: two go with it, one goes against it, one does neither."""


@pytest.fixture(scope="module")
def seen():
    return {name: recorded(subject(areas), 200) for name, areas in WORLDS.items()}


def decided(method, world):
    return simlab.analyse(method, world).estimate["decided"].tolist()


def noisy(driver: np.ndarray, scale: float = 0.5) -> np.ndarray:
    """(trial, bin, unit) of four units that follow a driver (trial, bin) by `SIGNS`, in noise."""
    noise = np.random.default_rng(3).normal(0, 1, (*driver.shape, 4))
    return driver[..., None] * SIGNS * scale + noise


def made(values: np.ndarray, **more: object):
    """A recording of signals (trial, bin, unit), 20 ms each."""
    trials, bins, units = values.shape
    time = 0.02 * np.arange(bins)
    return recording(
        duration=0.02 * bins, n_units=units, n_trials=trials, signal=values, modality="rate", signal_units="Hz",
        sample_time=time + 0.01, time=time, **more,
    )  # fmt: skip


class TestOutcomeCorrelation:
    def test_in_series_it_is_right_and_a_follower_passes_for_a_part(self, seen):
        assert decided(OutcomeCorrelation(), seen["both"]) == [True, True, True, False]
        assert decided(OutcomeCorrelation(), seen["path"]) == [True, True, True, True]

    def test_two_that_do_the_same_are_hardly_seen(self, seen):
        finding = simlab.analyse(OutcomeCorrelation(), seen["either"])
        assert finding.estimate["importance"][2] > 0.9 > 0.4 > finding.estimate["importance"][:2].max()

    def test_either_direction_counts_and_tuning_does_not(self):
        rng = np.random.default_rng(0)
        outcome, condition = rng.integers(0, 2, 200), rng.integers(0, 2, 200)
        values = noisy(np.repeat((outcome - 0.5)[:, None], 5, 1), 2.0)
        values[:, :, 3] += 5.0 * condition[:, None]
        likelier = np.where(rng.random(200) < 0.8, condition, 1 - condition)
        strict = OutcomeCorrelation(alpha=0.01)  # one fixed world: the fourth unit is called in 1 of 100
        assert decided(strict, made(values, outcome=outcome, condition=condition)) == [True] * 3 + [False]
        assert decided(strict, made(values, outcome=likelier))[3]  # the same unit, condition unknown

    def test_the_area_is_that_of_its_definition(self, seen):
        finding = simlab.analyse(OutcomeCorrelation(), made(noisy(np.zeros((12, 3))), outcome=np.arange(12) % 2))
        activity = noisy(np.zeros((12, 3))).mean(axis=1)
        good, bad = activity[1::2], activity[::2]
        assert finding.notes["area_under_roc"] == pytest.approx((good[:, None] > bad[None]).mean(axis=(0, 1)))


class TestDecoderWeights:
    def test_the_last_stage_gets_the_weight(self, seen):
        decoder = DecoderWeights(shuffles=10)
        assert np.argmax(simlab.analyse(decoder, seen["both"]).estimate["importance"]) == 2
        assert decided(decoder, seen["either"]) == [False, False, True, False]

    def test_behaviour_and_graded_outcomes_are_decoded_by_ridge(self):
        rng = np.random.default_rng(1)
        level = rng.random(150)
        values = noisy(np.repeat((level - 0.5)[:, None], 5, 1), 3.0)
        for world, method in (
            (made(values, outcome=level), DecoderWeights()),
            (made(values, behaviour=np.repeat(level[:, None, None], 5, 1)), DecoderWeights(target="behaviour")),
        ):
            assert decided(method, world) == [True, True, True, False]

    def test_nothing_is_decoded_from_noise(self):
        called = [
            any(decided(DecoderWeights(shuffles=10), made(np.random.default_rng(seed).normal(size=(40, 2, 3)),
                                                         outcome=np.arange(40) % 2)))
            for seed in range(3)
        ]  # fmt: skip
        assert sum(called) <= 1  # Binomial(3, 0.05): more than 1 has a chance of 0.007


class TestStimulusTuning:
    def test_bystanders_that_the_stimulus_drives_are_held_for_parts(self, seen):
        assert decided(StimulusTuning(), seen["either"]) == [True] * 4
        assert decided(StimulusTuning(), seen["both"]) == [True] * 4

    def test_units_that_follow_no_stimulus_are_not_tuned(self, seen):
        assert decided(StimulusTuning(), seen["nobody"]) == [False] * 3

    def test_conditions_are_told_apart(self):
        condition = np.arange(60) % 3
        values = noisy(np.repeat((condition - 1.0)[:, None], 5, 1))
        finding = simlab.analyse(StimulusTuning(), made(values, condition=condition))
        assert finding.estimate["decided"].tolist() == [True, True, True, False]

    def test_the_tests_are_scipys(self):
        from scipy.stats import kruskal, wilcoxon

        from methods.roles.stimulus_tuning import _of_conditions, _of_onset

        values, condition = noisy(np.zeros((30, 4))), np.arange(30) % 3
        shown = np.where(np.arange(4) < 2, np.nan, 1.0)[None, :, None].repeat(30, 0)
        world = made(values, condition=condition, stimulus=shown)
        mean = values.mean(axis=1)
        whole = [kruskal(*(mean[condition == c, unit] for c in range(3))).pvalue for unit in range(4)]
        assert _of_conditions(world)[1] == pytest.approx(whole)
        difference = values[:, 2:].mean(axis=1) - values[:, :2].mean(axis=1)
        each = [wilcoxon(d, mode="approx", correction=False).pvalue for d in difference.T]
        assert _of_onset(world, 0.02)[1] == pytest.approx(each)


class TestGrangerToBehaviour:
    def test_who_drives_the_behaviour_with_a_lag_is_found(self):
        rng = np.random.default_rng(2)
        values = rng.normal(size=(20, 60, 4))
        behaviour = np.zeros((20, 60, 1))
        for t in range(1, 60):
            behaviour[:, t, 0] = 0.5 * behaviour[:, t - 1, 0] + 0.5 * values[:, t - 1, 1] + rng.normal(0, 0.5, 20)
        finding = simlab.analyse(GrangerToBehaviour(), made(values, behaviour=behaviour))
        assert finding.estimate["decided"].tolist() == [False, True, False, False]
        # variance 0.25 + 0.25 = 0.5 without it, 0.25 with it: log 2
        assert finding.estimate["importance"][1] == pytest.approx(np.log(2), abs=0.1)

    def test_units_that_follow_the_same_drive_pass_for_causes(self, seen):
        assert decided(GrangerToBehaviour(), seen["either"])[3]  # the bystander

    def test_independent_units_are_rarely_called(self):
        rng = np.random.default_rng(5)
        behaviour = np.cumsum(rng.normal(size=(10, 50, 1)), axis=1)
        called = [
            any(decided(GrangerToBehaviour(), made(rng.normal(size=(10, 50, 4)), behaviour=behaviour)))
            for _ in range(12)
        ]
        assert sum(called) <= 3  # Binomial(12, 0.05): more than 3 has a chance of 0.002

    def test_too_few_bins_are_an_abstention(self):
        world = made(np.random.default_rng(0).normal(size=(1, 8, 4)), behaviour=np.arange(8.0)[None, :, None])
        assert "too few to tell" in simlab.analyse(GrangerToBehaviour(), world).abstained


class TestVarianceExplained:
    def test_what_a_stimulus_drives_dominates_needed_or_not(self, seen):
        assert decided(VarianceExplained(), seen["either"]) == [True] * 4

    def test_independent_units_have_no_component(self, seen):
        finding = simlab.analyse(VarianceExplained(), seen["nobody"])
        assert finding.notes["components"] == 0
        assert finding.estimate["importance"].tolist() == [0.0] * 3

    def test_one_that_shares_nothing_is_left_out(self):
        driver = np.random.default_rng(1).normal(size=(20, 30))
        finding = simlab.analyse(VarianceExplained(), made(noisy(driver, 1.0)))
        assert finding.estimate["decided"].tolist() == [True, True, True, False]
        # correlations of 1/2 among three: the first of the eigenvalues is 2, of which each has a third
        assert finding.estimate["importance"][:3] == pytest.approx([2 / 3] * 3, abs=0.1)


class TestCorrelationClustering:
    def test_one_drive_makes_one_community(self, seen):
        finding = simlab.analyse(CorrelationClustering(), seen["path"])
        assert finding.estimate["members"].all()
        assert np.argmax(finding.estimate["score"]) == 2

    def test_what_does_not_go_with_the_behaviour_is_left_out(self):
        driver = np.random.default_rng(1).normal(size=(20, 30))
        world = made(noisy(driver, 1.5), behaviour=driver[..., None])
        finding = simlab.analyse(CorrelationClustering(width=0.02), world)
        assert finding.estimate["members"].tolist() == [True, True, True, False]
        alone = simlab.analyse(replace(CorrelationClustering(), least_correlation=1.0), world)
        assert "no unit's cluster correlates" in alone.abstained
