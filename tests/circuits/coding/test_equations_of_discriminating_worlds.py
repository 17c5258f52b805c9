"""Equations of the worlds in which two stimuli are told apart, and of companies of features, by other routes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from circuits.coding import companions
from circuits.coding.dense_code import DenseCode
from circuits.coding.discrimination import Discrimination, Moments, counted, n_bins
from circuits.coding.feedforward_hypercolumn import FeedforwardHypercolumn
from circuits.coding.harmless_noise import HarmlessNoise, opposed
from circuits.coding.hypercolumn import Hypercolumn, rest
from circuits.coding.hypercolumn import drawn as column_of
from circuits.coding.information_limiting import InformationLimiting, slow
from circuits.coding.information_limiting import drawn as code_of
from circuits.coding.superposition import Superposition
from simlab.contracts import SimlabError
from simlab.session import Session, Stimulus
from simlab.streams import stream

SMALL = InformationLimiting(n_neurons=6, drift=0.2)
COLUMN = Hypercolumn(n_neurons=12)
CIRCUITS = (SMALL, HarmlessNoise(like=SMALL), COLUMN, FeedforwardHypercolumn(like=COLUMN))
each = pytest.mark.parametrize("circuit", CIRCUITS, ids=lambda circuit: circuit.name)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def told(circuit):
    """The truth of information in two short trials of one individual."""
    subject = circuit.subject(stream(1, "subject"))
    activity = subject.run(subject.session(trials=2, duration=0.1, rng=rng()), rng())
    return subject.truth("information", activity, rng())


def test_counts_have_the_moments_of_poisson_mixtures():
    """Two equally likely rates of one neuron, 4 and 8 Hz, in 2 s: variance (4 Hz)^2 (2 s)^2 / 4 + 12 = 28."""
    moments = Moments(np.array([[6.0], [10.0]]), np.array([[[4.0]], [[4.0]]]))
    truth = counted(moments, 2.0, 0.5)
    assert truth["level"].values == pytest.approx([16.0])
    assert truth["derivative"].values == pytest.approx([8.0 / 0.5])
    assert truth["covariance"].values == pytest.approx(np.array([[4.0 * 4 + 16]]))
    assert float(truth["step"]) == 0.5


@each
def test_covariances_are_symmetric_and_hold_no_less_than_poisson_noise(circuit):
    truth = told(circuit)
    covariance = truth["covariance"].values
    assert covariance == pytest.approx(covariance.T)
    assert np.linalg.eigvalsh(covariance - np.diag(truth["level"].values)).min() > -1e-9
    assert float(truth["step"]) == circuit.task.step
    assert str(truth["feature"].values) == "orientation"


@each
def test_information_is_asked_of_trials_that_were_run(circuit):
    subject = circuit.subject(stream(1, "subject"))
    with pytest.raises(LookupError, match=f"{circuit.name} tells the information in trials that were run"):
        subject.truth("information", None, rng())
    with pytest.raises(LookupError, match="latents"):
        subject.truth("latents", None, rng())


@each
def test_another_feature_than_orientation_is_an_error(circuit):
    subject = circuit.subject(stream(1, "subject"))
    shown = Stimulus(("contrast",), np.zeros((2, 1, 1)), 0.1)
    with pytest.raises(SimlabError, match="is shown one feature, 'orientation'"):
        subject.run(Session(2, 0.1, shown), rng())


@pytest.mark.parametrize("circuit", [SMALL, HarmlessNoise(like=SMALL)], ids=lambda circuit: circuit.name)
def test_rates_have_the_moments_that_lognormal_noise_has(circuit):
    """Means are the tuning curve's and relative variances exp(L_ii) - 1, whichever way noise points."""
    code = code_of(SMALL, stream(1, "subject"))
    at = np.array([-0.2, 0.3])
    moments = circuit.subject(stream(1, "subject")).moments(at)
    assert moments.mean == pytest.approx(10 * np.exp(2 * (np.cos(2 * (at[:, None] - code.preferred)) - 1)))
    log_variance = 0.09**2 * code.relative_slope() ** 2 + 0.1**2 + 0.2**2
    variance = np.diagonal(moments.covariance, axis1=1, axis2=2)
    assert variance / moments.mean**2 == pytest.approx(np.tile(np.expm1(log_variance), (2, 1)))


def test_relative_slopes_are_those_of_the_logarithm_of_the_tuning_curves():
    code = code_of(SMALL, rng())
    low, high = (np.log(code.rates(np.array([at])))[0] for at in (-1e-5, 1e-5))
    assert code.relative_slope() == pytest.approx((high - low) / 2e-5, abs=1e-6)
    assert np.diff(np.sort(code.preferred)) == pytest.approx(np.full(5, np.pi / 6))


@pytest.mark.parametrize("number", [1, 2, 7, 10])
def test_of_each_two_neighbours_in_slope_one_sign_is_turned(number):
    slope = rng(3).standard_normal(number)
    sign = opposed(slope, rng())[np.argsort(slope)]
    assert set(np.abs(sign)) == {1.0}
    assert sign[: number // 2 * 2].reshape(-1, 2).sum(axis=1) == pytest.approx(0)


@pytest.mark.parametrize(("changes", "saturates"), [({}, True), ({"blur": 0.0}, False), ({"modulation": 0.0}, None)])
def test_a_hypercolumn_saturates_by_its_blur_and_its_twin_never(changes, saturates):
    column = replace(COLUMN, **changes)
    fed = FeedforwardHypercolumn(like=column)
    assert column.subject(rng()).saturates is saturates
    assert fed.subject(rng()).saturates is (None if saturates is None else False)


def test_rates_at_rest_solve_their_equation():
    """To what 50 membrane time constants leave of the way."""
    column = column_of(COLUMN, rng())
    z = rng(1).standard_normal((4, 3))
    rate = column.rates(np.array([-0.1, 0.0, 0.1, 0.5]), z) - COLUMN.spontaneous
    current = column.input(np.array([-0.1, 0.0, 0.1, 0.5]), z) + rate @ column.weights
    assert rate == pytest.approx(2 * np.log1p(np.exp(current / 2)), abs=2e-4)
    assert not np.diag(column.weights).any()


def test_the_moments_of_rates_are_those_of_many_draws_of_the_noise():
    """2,000 draws: four standard errors of means, and of deviations where neurons fire; of others, .05 Hz."""
    column = column_of(COLUMN, rng())
    drawn = column.rates(np.full(2000, 0.075), rng(1).standard_normal((2000, 3)))
    moments = column.moments(np.array([0.075]))
    spread = np.sqrt(np.diag(moments.covariance[0]))
    assert (np.abs(drawn.mean(axis=0) - moments.mean[0]) < 4 * spread / np.sqrt(2000)).all()
    assert drawn.std(axis=0) == pytest.approx(spread, rel=0.07, abs=0.05)


def test_a_stimulus_that_is_turned_by_a_neighbours_distance_shifts_the_rates_by_one_neuron():
    column = column_of(COLUMN, rng())
    order, apart = np.argsort(column.preferred), np.pi / 12
    here, there = column.rates(np.array([0.0, apart]), np.zeros((2, 3)))
    assert there[order] == pytest.approx(np.roll(here[order], 1), abs=1e-4)


def test_held_neurons_stay_where_they_are_held_and_others_hear_it():
    free = np.array([[True, False, True]])
    weights = np.array([[0, 0, 0], [0.5, 0, 0], [0, 0, 0.0]])
    settled = rest(np.full((1, 3), 10.0), 0.1, lambda r: r @ weights, np.full((1, 3), 40.0), free)
    assert settled == pytest.approx(np.array([[30.0, 40.0, 10.0]]), abs=1e-3)


@pytest.mark.parametrize(("duration", "bins"), [(0.5, 10), (0.05, 1), (0.051, 2), (0.01, 1), (0.15, 3)])
def test_bins_cover_the_trial(duration, bins):
    assert n_bins(Session(1, duration)) == bins


@pytest.mark.parametrize("trials", [1, 3, 7, 40])
def test_stimuli_are_half_a_step_to_either_side_and_as_even_as_can_be(trials):
    session = Discrimination(step=0.3).session(trials, 0.5, rng())
    side = np.array(session.conditions)
    assert abs(2 * side.sum() - trials) <= 1
    assert session.stimulus.values[:, 0, 0] == pytest.approx(0.15 * np.where(side == 1, 1, -1))


def test_drift_forgets_itself_by_the_same_factor_from_each_trial_to_the_next():
    values = slow((3000, 40), 2.0, rng())
    for lag in (1, 3):
        assert (values[lag:] * values[:-lag]).mean() == pytest.approx(np.exp(-lag / 2), abs=0.02)


ODD = {
    "step": lambda: Discrimination(step=0.0),
    "block": lambda: Discrimination(block=0),
    "order": lambda: Discrimination(order="sorted"),
    "blur": lambda: InformationLimiting(blur=-0.1),
    "drift_trials": lambda: InformationLimiting(drift_trials=0.0),
    "n_neurons": lambda: Hypercolumn(n_neurons=1),
    "modulation": lambda: Hypercolumn(modulation=1.5),
    "knee": lambda: Hypercolumn(knee=0.0),
    "together": lambda: Superposition(together="alone"),
    "frequencies": lambda: Superposition(frequencies="flat"),
    "correlation": lambda: Superposition(correlation=1.5),
    "decay": lambda: Superposition(decay=1.5),
    "like": lambda: DenseCode(like=Hypercolumn()),
}


@pytest.mark.parametrize("field", ODD)
def test_an_impossible_parameter_is_refused_by_its_name(field):
    with pytest.raises(SimlabError, match=field):
        ODD[field]()


@pytest.mark.parametrize(("k", "line"), [(0, [0]), (2, [2]), (3, [3, 0]), (6, [6, 0]), (7, [7, 1]), (15, [15, 3, 0])])
def test_features_descend_from_roots_in_turn(k, line):
    assert companions.ancestors(k, 24) == line
    assert companions.parent_of(k, 24) == (line[1] if len(line) > 1 else None)
    assert companions.first_child(0, 24) == 3


def hierarchy(n: int = 24) -> tuple[np.ndarray, np.ndarray]:
    p = Superposition(8, n, together="hierarchical").probabilities()
    return p, companions.joint("hierarchical", p, {})


def test_a_child_is_there_with_its_parent_alone_and_a_fifth_as_often():
    p, both = hierarchy()
    for child in range(3, 24):
        line = companions.ancestors(child, 24)
        for lower, upper in pairwise(line):
            assert p[lower] == pytest.approx(0.2 * p[upper])
        assert both[child, line] == pytest.approx(p[child])
    assert both[3, 4] == both[4, 3] == 0.0  # of one parent
    assert both[15, 5] == 0.0  # an aunt
    assert both[3, 7] == pytest.approx(p[3] * p[7])  # of two roots
    assert both == pytest.approx(both.T)


@pytest.mark.parametrize("correlation", [-0.8, -0.3, 0.0, 0.4, 0.9])
def test_joint_probabilities_of_correlated_features_are_those_of_two_gaussians(correlation):
    """Sheppard: P(both below the median) = 1/4 + arcsin(r) / 2 pi; and other thresholds by SciPy's own integral."""
    from scipy.stats import multivariate_normal, norm

    length = np.sqrt(abs(correlation))
    loading = np.array([[length], [np.sign(correlation) * length]])
    median = companions.joint("correlated", np.array([0.5, 0.5]), {"loading": loading})
    assert median[0, 1] == pytest.approx(0.25 + np.arcsin(correlation) / (2 * np.pi), abs=1e-6)
    p = np.array([0.02, 0.2])
    joint = companions.joint("correlated", p, {"loading": loading})
    both = multivariate_normal(cov=[[1, correlation], [correlation, 1]]).cdf(norm.ppf(p))
    assert joint[0, 1] == joint[1, 0] == pytest.approx(both, abs=1e-6)


@pytest.mark.parametrize("together", ["independent", "correlated", "hierarchical"])
def test_features_are_as_frequent_as_they_are_said_to_be_and_the_dense_code_has_their_covariance(together):
    circuit = Superposition(6, 16, active=1.5, together=together)
    assert circuit.probabilities().sum() == pytest.approx(1.5)
    parts = circuit.subject(stream(1, "subject")).parts
    f, c = parts["features"], circuit.covariance(parts)
    assert np.linalg.norm(f, axis=1) == pytest.approx(np.ones(16))
    assert np.linalg.eigvalsh(c).min() > 0
    p = circuit.probabilities()
    assert np.diag(c) == pytest.approx(p * 4 / 12 - p**2 / 4)
    dense = DenseCode(like=circuit).subject(stream(1, "subject")).parts
    assert dense["root"].T @ dense["root"] == pytest.approx(f.T @ c @ f)
    assert dense["mean"] == pytest.approx(p @ f / 2)
    assert dense["features"].shape == (0, 6)


def test_frequencies_fall_by_a_factor_or_by_the_root_of_the_rank():
    geometric, zipfian = (Superposition(frequencies=kind).probabilities() for kind in ("geometric", "zipfian"))
    assert geometric[1:] / geometric[:-1] == pytest.approx(np.full(63, 0.923))
    assert zipfian[0] / zipfian[[3, 24]] == pytest.approx([2.0, 5.0])
    own = Superposition(basis="neurons", n_features=32).subject(rng()).parts["features"]
    assert own == pytest.approx(np.eye(32))
