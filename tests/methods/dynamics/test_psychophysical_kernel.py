"""Planted observers who weigh evidence alike, late or early; and reports that say nothing of weights."""

import numpy as np
import pytest
from task_worlds import delay, judged, without

from methods.dynamics.psychophysical_kernel import PsychophysicalKernel, kernel

METHOD = PsychophysicalKernel()
LATE = np.exp((np.arange(20) - 20) / 6)


def analysed(recording, method=METHOD):
    return method.analyse(recording, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("recording", "reason"),
    [
        (without(judged(np.ones(20)), candidates=("ramping",)), "the candidates are ramping"),
        (judged(np.ones(20), n_trials=20), "trials"),
        (delay(0.0), "behaviour"),
        (judged(np.ones(20), bias=1e3), "hardly ever chosen"),
    ],
)
def test_it_abstains_with_a_reason(recording, reason):
    assert reason in analysed(recording).abstained


def test_evidence_that_does_not_fluctuate_has_no_kernel():
    found = judged(np.ones(20))
    found["stimulus"] = found["stimulus"] * 0 + found["stimulus"].isel(time=0)
    assert "does not fluctuate" in analysed(found).abstained
    broken = judged(np.ones(20))
    broken["behaviour"] = broken["behaviour"] * np.nan
    assert "hardly ever chosen" in analysed(broken).abstained


@pytest.mark.parametrize(
    ("weights", "label"),
    [
        (np.ones(20), "line attractor"),
        (LATE, "hidden feedforward chain"),
        (LATE[::-1], "hidden feedforward chain"),
    ],
    ids=["flat", "late", "early"],
)
def test_a_flat_kernel_is_an_integrator_s_and_any_other_one_s_that_forgets(weights, label):
    found = analysed(judged(weights, n_trials=400))
    assert found.estimate["label"] == label
    fitted = np.array(found.notes["kernel"])
    assert fitted.mean() == pytest.approx(1.0)
    expected = weights.reshape(4, 5).mean(axis=1)
    # 400 signs: each of the four weights has a standard error of about .1 of the mean for flat ones
    assert np.abs(fitted - expected / expected.mean()).max() < 0.5


def test_flat_kernels_are_called_uneven_about_as_rarely_as_the_level_says():
    called = [
        analysed(judged(np.ones(20), n_trials=100, seed=k), PsychophysicalKernel(n_resamples=100)).notes["p_of_slope"]
        for k in range(20)
    ]
    assert (np.array(called) < 0.05).sum() <= 4  # of .05 in 20: more has a chance of .003


def test_weights_are_those_of_least_squares():
    rng = np.random.default_rng(1)
    parts = rng.standard_normal((50, 3))
    assert kernel(parts, parts @ [1.0, 2.0, 3.0] + 4.0) == pytest.approx([1.0, 2.0, 3.0])
