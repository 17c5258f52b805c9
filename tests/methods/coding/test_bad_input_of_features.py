"""Whatever is recorded, methods for features and for targeted axes answer in form or say what is missing."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import simlab
from methods.coding._dictionaries import finding as stated
from methods.coding._dictionaries import kurtosis_z, left_out, samples, wanted
from methods.coding.decomposed_features import DecomposedFeatures
from methods.coding.selected_dictionary import SelectedDictionary
from methods.coding.sparse_autoencoder import SparseAutoencoder, Weights, gradient, loss
from methods.latents.targeted_reduction import TargetedReduction
from simlab.data import recording

TRIALS, SAMPLES, UNITS = 10, 40, 4
SELECTORS = tuple(
    SelectedDictionary(by, penalties=(0.01, 0.1), steps=10)
    for by in ("reconstruction", "description_length", "agreement", "consistency")
)
FINDERS = (
    SparseAutoencoder(steps=30, batch=32),
    *SELECTORS,
    *(DecomposedFeatures(by) for by in ("pca", "ica", "nmf", "kmeans")),
)


def sparse(trials: int = TRIALS, samples: int = SAMPLES, units: int = UNITS) -> np.ndarray:
    """(trial, sample, unit) rates that each have bursts of their own."""
    rng = np.random.default_rng([trials, samples, units])
    bursts = (rng.random((trials, samples, units)) < 0.1) * rng.exponential(10.0, (trials, samples, units))
    return 5 + bursts + 0.1 * rng.standard_normal(bursts.shape)


def world(signal: np.ndarray | None = None, **more: object) -> xr.Dataset:
    signal = sparse() if signal is None else signal
    trials, n_samples, units = signal.shape
    given = {"duration": 2.0, "modality": "rate", "signal_units": "Hz", "signal": signal}
    times = (np.arange(n_samples) + 0.5) * 2.0 / n_samples
    return recording(n_units=units, n_trials=trials, sample_time=times, **(given | more))


def changed(where: object, value: float) -> np.ndarray:
    signal = sparse()
    signal[where] = value
    return signal


def spiking(duration: float = 2.0) -> xr.Dataset:
    rng = np.random.default_rng(0)
    trial, unit = rng.integers(TRIALS, size=2000), rng.integers(UNITS, size=2000)
    return recording(
        duration=duration, n_units=UNITS, n_trials=TRIALS, spikes=(trial, rng.uniform(0, duration, 2000), unit)
    )


def directly(method, told):
    return method.analyse(told, np.random.default_rng(1))


def found_by(method, told, analyse=directly):
    """What a method says, without a warning; where it matters, as the lab has it: checked against its form."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        return analyse(method, told)


ANSWERED = {
    "as it is": world,
    "spikes": spiking,
    "a silent unit": lambda: world(changed(np.s_[:, :, 1], 0.0)),
    "a constant unit": lambda: world(changed(np.s_[:, :, 1], 0.1)),
    "doubled units": lambda: world(sparse()[:, :, [0, 0, 1, 2]]),
    "a missing frame": lambda: world(changed(np.s_[:, 7], np.nan)),
    "missing frames of one unit": lambda: world(changed(np.s_[2, 3:9, 1], np.nan)),
    "one trial": lambda: world(sparse(1, 400), duration=20.0),
    "huge values": lambda: world(1e9 * sparse()),
    "tiny values": lambda: world(1e-12 * sparse()),
    "negative values": lambda: world(-sparse()),
}
ABSTAINED = {
    "two units": (lambda: world(sparse(units=2)), "at least 3 units, got 2"),
    "a second": (lambda: world(duration=0.1), "at least 5 s of recording, got 1 s"),
    "silence": (lambda: world(np.zeros((TRIALS, SAMPLES, UNITS))), "no unit's activity varies"),
    "constant units": (lambda: world(np.full((TRIALS, SAMPLES, UNITS), 0.1)), "no unit's activity varies"),
    "a unit that was never seen": (lambda: world(changed(np.s_[:, :, 2], np.nan)), "gaps"),
    "nothing seen": (lambda: world(changed(np.s_[:], np.nan)), "gaps"),
    "few samples": (lambda: world(sparse(samples=3)), "30 samples.* too few for 4 units"),
}


@pytest.mark.parametrize("what", ANSWERED)
def test_a_dictionary_is_stated_of_whatever_holds_enough(what):
    told = ANSWERED[what]()
    for method in FINDERS:
        found = found_by(replace(method, least_z=0.0), told, simlab.analyse if what == "as it is" else directly)
        assert not found.abstained, f"{method}: {found.abstained}"
        rows = found.estimate["dictionary"]
        assert np.isfinite(rows).all()
        assert rows.shape == (int(found.estimate["number"]), UNITS)
        assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(len(rows)))
        assert 0 <= float(found.estimate["unexplained"]) < 5


@pytest.mark.parametrize("what", ABSTAINED)
def test_too_little_is_an_abstention_that_names_what_is_missing(what):
    make, reason = ABSTAINED[what]
    told = make()
    for method in (*FINDERS, *(replace(method, least_z=0.0) for method in FINDERS)):
        why = found_by(method, told).abstained
        assert re.search(reason, why), f"{method}: {why}"


def test_samples_have_no_mean_and_unit_length_on_average_whatever_their_scale():
    x = samples(world(), 0.05)
    assert x.shape == (TRIALS * SAMPLES, UNITS)
    assert x.mean(axis=0) == pytest.approx(np.zeros(UNITS), abs=1e-12)
    assert (x**2).sum(axis=1).mean() == pytest.approx(1.0)
    assert samples(world(1e6 * sparse() - 3), 0.05) == pytest.approx(x)
    gaps = samples(world(changed(np.s_[2, 3:9, 1], np.nan)), 0.05)
    assert len(gaps) == TRIALS * SAMPLES - 6


@pytest.mark.parametrize(("asked", "units", "number"), [(0, 7, 14), (5, 7, 5), (30, 7, 30)])
def test_twice_as_many_features_as_units_are_looked_for_unless_a_number_is_asked(asked, units, number):
    assert wanted(asked, units) == number


@pytest.mark.parametrize(("kind", "excess"), [("coin", -2.0), ("uniform", -1.2), ("laplace", 3.0)])
def test_excess_kurtosis_is_that_of_the_distribution_in_standard_errors(kind, excess):
    rng = np.random.default_rng(0)
    draws = {"coin": lambda n: rng.choice([-1.0, 1.0], n), "uniform": lambda n: rng.uniform(-1, 1, n)}
    x = draws.get(kind, lambda n: rng.laplace(size=n))((40_000, 3))
    assert kurtosis_z(x, np.eye(3)) / np.sqrt(40_000 / 24) == pytest.approx(excess, abs=0.25)


def test_zero_rows_are_left_out_of_an_answer_and_none_left_is_an_abstention():
    x = np.random.default_rng(0).laplace(size=(500, 3))
    found = stated(x, np.array([[0.0, 0, 0], [0, 3, 4]]), -0.1, 0.0)
    assert found.estimate["dictionary"].tolist() == [[0, 0.6, 0.8]]
    assert (found.estimate["number"], found.estimate["unexplained"]) == (1, 0.0)
    assert "no feature is left" in stated(x, np.zeros((2, 3)), 0.0, 0.0).abstained
    assert "Gaussian" in stated(np.random.default_rng(0).standard_normal((500, 3)), np.eye(3), 0.0, 5.0).abstained
    assert left_out(x, np.zeros_like(x)) == pytest.approx(1.0)
    assert left_out(x, x) == 0.0


def test_directions_point_the_way_in_which_bursts_go():
    """Bursts of each unit alone: independent components are the units, upwards, or downwards where signals turn."""
    for sign in (1, -1):
        rows = found_by(DecomposedFeatures("ica"), world(sign * sparse(20, 100))).estimate["dictionary"]
        assert sign * rows[np.arange(UNITS), np.abs(rows).argmax(axis=1)] == pytest.approx(np.ones(UNITS), abs=0.02)


@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_components_leave_out_what_the_rest_of_the_eigenvalues_hold(n_features):
    told = world(sparse() * [1.0, 2.0, 3.0, 4.0])
    values = np.linalg.eigvalsh(np.cov(samples(told, 0.05).T))
    found = found_by(DecomposedFeatures("pca", n_features=n_features, least_z=0.0), told)
    assert float(found.estimate["unexplained"]) == pytest.approx(values[:-n_features].sum() / values.sum())


def test_training_lowers_the_loss_and_keeps_rows_at_unit_length():
    x = samples(world(), 0.05)
    start, end = (SparseAutoencoder(steps=n, batch=64).trained(x, np.random.default_rng(0)) for n in (1, 300))
    assert loss(end, x, 0.1) < 0.7 * loss(start, x, 0.1)
    assert np.linalg.norm(end.decoder, axis=1) == pytest.approx(np.ones(2 * UNITS), rel=1e-5)


def test_a_feature_that_is_never_active_has_no_slope_but_what_is_rebuilt_wrongly_has():
    x = np.array([[1.0, 0.0], [0.5, 0.0]])
    weights = Weights(np.array([[1.0, -1.0], [0, 0]]), np.zeros(2), np.array([[1.0, 0.0], [0.0, 1.0]]))
    slopes = gradient(weights, x, 0.0)
    assert not any(part.any() for part in slopes)  # rebuilt exactly by the first, without a penalty
    penalised = gradient(weights, x, 0.2)
    assert penalised.bias == pytest.approx([0.2, 0.0])
    assert loss(weights, x, 0.2) == pytest.approx(0.2 * 0.75)


def followed(amount: np.ndarray, **more: object) -> xr.Dataset:
    """Rates of six units that follow (trial,) amounts along one direction, at all times alike, and noise."""
    rng = np.random.default_rng(0)
    direction = np.array([1.0, -1.0, 2.0, 0.0, 0.5, 1.0])
    signal = 20 + amount[:, None, None] * direction + rng.standard_normal((len(amount), 20, 6))
    told = world(signal, **more)
    return told.assign_attrs(brief={"times": tuple(told["sample_time"].values.tolist())})


AMOUNT = np.random.default_rng(1).standard_normal(24)
SIDE = (AMOUNT > 0).astype(int)
STIMULUS = {"stimulus": np.repeat(AMOUNT[:, None, None], 2, axis=1), "time": np.array([0.0, 1.0])}
BEHAVIOUR = {"behaviour": np.stack([np.zeros(24), AMOUNT], axis=1)[:, :, None], "time": np.array([0.0, 1.0])}
TARGETED = TargetedReduction(n_shuffles=10)


@pytest.mark.parametrize(
    "given", [STIMULUS, BEHAVIOUR, {"condition": SIDE}, STIMULUS | {"condition": SIDE}, STIMULUS | BEHAVIOUR]
)
def test_the_axis_of_what_trials_differ_in_is_found_whichever_variable_says_it(given):
    found = found_by(TARGETED, followed(AMOUNT, **given))
    latent = found.estimate["latent"]
    assert found.notes["variables"] == 1  # the same variable, told twice, counts once
    assert latent.shape[::2] == (24, 1)
    assert abs(np.corrcoef(latent.mean(axis=1)[:, 0], AMOUNT)[0, 1]) > 0.98


OTHERS = np.random.default_rng(5).permutation(SIDE)
REFUSED = {
    "nothing differs": (lambda: followed(AMOUNT), "nothing to regress on"),
    "one condition": (lambda: followed(AMOUNT, condition=np.zeros(24, int)), "nothing to regress on"),
    "a stimulus with gaps": (lambda: followed(AMOUNT, **_with_gap()), "nothing to regress on"),
    "as many conditions as trials": (lambda: followed(AMOUNT, condition=np.arange(24)), "23 variables need 26 trials"),
    "seven trials": (lambda: followed(AMOUNT[:7], condition=SIDE[:7]), "at least 8 trials, got 7"),
    "two units": (lambda: followed(AMOUNT, condition=SIDE).isel(unit=slice(2)), "at least 3 units, got 2"),
    "gaps": (lambda: world(changed(np.s_[:, 3], np.nan), condition=np.arange(10) % 2), "gaps"),
    "silence": (lambda: world(np.zeros((10, 40, 4)), condition=np.arange(10) % 2), "0 of 4 units are active"),
    "other trials' conditions": (lambda: followed(AMOUNT, condition=OTHERS), "follows no variable"),
}  # fmt: skip


def _with_gap() -> dict:
    shown = STIMULUS["stimulus"].copy()
    shown[3] = np.nan
    return STIMULUS | {"stimulus": shown}


@pytest.mark.parametrize("what", REFUSED)
def test_where_no_axis_can_be_found_the_abstention_says_why(what):
    make, reason = REFUSED[what]
    assert re.search(reason, found_by(TARGETED, make()).abstained)
