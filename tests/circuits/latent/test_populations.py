"""Populations with known latents: their laws, their truths by another route, and their rivals' match."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import xarray as xr

import simlab
from circuits.latent.curved_manifold import CurvedManifold
from circuits.latent.latent_factors import LatentFactors
from circuits.latent.processes import stationary
from circuits.latent.random_walk import RandomWalk
from circuits.latent.shifted_stimuli import ShiftedStimuli
from circuits.latent.smooth_noise import SmoothNoise
from simlab.contracts import SimlabError
from simlab.data import bin_spikes, mean_rates
from simlab.instruments.recording.perfect import Perfect
from simlab.streams import stream

NAMES = ("latent_factors", "smooth_noise", "random_walk", "curved_manifold", "shifted_stimuli")


@cache
def ran(circuit, trials=60, duration=2.0):
    """Subject and activity."""
    subject = circuit.subject(stream(1, "subject"))
    session = subject.session(trials=trials, duration=duration, rng=stream(1, "session"))
    return subject, subject.run(session, stream(1, "run"))


def truth(circuit, question) -> xr.Dataset:
    subject, activity = ran(circuit)
    return subject.truth(question, activity, stream(1, "truth"))


def rank(rates: np.ndarray) -> int:
    """Dimensions of noise-free states, by singular values."""
    flat = rates.reshape(-1, rates.shape[2])
    size = np.linalg.svd(flat - flat.mean(axis=0), compute_uv=False)
    return int((size > 1e-8 * size[0]).sum())


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_the_contract(name):
    assert simlab.check(name).ok


@pytest.mark.parametrize(("kind", "covariance"), [("gaussian", np.exp(-0.5)), ("ornstein-uhlenbeck", np.exp(-1))])
def test_paths_have_the_variance_and_memory_that_are_stated(kind, covariance):
    path = stationary((400, 60, 4), 0.01, 0.1, kind, np.random.default_rng(0))
    # 1600 independent paths of about three time constants: relative error of a variance below .03
    assert path.var() == pytest.approx(1, abs=0.05)
    assert (path[:, 10:] * path[:, :-10]).mean() == pytest.approx(covariance, abs=0.04)
    assert path[:, -1].var() == pytest.approx(path[:, 0].var(), abs=0.15)


def test_latents_are_those_that_the_rates_are_an_affine_function_of():
    circuit = LatentFactors(model="rate", private_depth=0.0)
    _, activity = ran(circuit)
    log_rates = np.log(activity["rate"].values)
    assert rank(log_rates) == truth(circuit, "dimensionality")["linear"] == 3
    flat, latent = log_rates.reshape(-1, 60), truth(circuit, "latents")["latent"].values.reshape(-1, 3)
    design = np.column_stack([np.ones(len(flat)), latent])
    left = flat - design @ np.linalg.lstsq(design, flat, rcond=None)[0]
    assert np.abs(left).max() < 1e-9


def test_rates_are_those_asked_for_and_spikes_follow_them():
    subject, activity = ran(LatentFactors())
    base = subject.parts["base"]
    # 120 s, some 240 correlation times: the mean of exp(gain) is known to .7 / sqrt(240) = 5% per neuron
    assert mean_rates(activity).mean() == pytest.approx(base.mean(), rel=0.05)
    assert np.corrcoef(mean_rates(activity), base)[0, 1] > 0.95


def test_the_rival_shares_every_neurons_own_statistics_and_nothing_between_neurons():
    like = LatentFactors()
    counts = {}
    for circuit in (like, SmoothNoise().imitating(like)):
        _, activity = ran(circuit)
        counts[circuit.name] = bin_spikes(activity, 0.1).values.astype(float)
    with_factors, alone = (counts[name] for name in ("latent_factors", "smooth_noise"))
    assert alone.mean() == pytest.approx(with_factors.mean(), rel=0.06)
    fano = [np.mean(c.reshape(-1, 60).var(axis=0) / c.reshape(-1, 60).mean(axis=0)) for c in (with_factors, alone)]
    assert fano[1] == pytest.approx(fano[0], rel=0.06)
    centred = [c - c.mean(axis=(0, 1)) for c in (with_factors, alone)]
    lagged = [np.mean(c[:, 2:] * c[:, :-2]) for c in centred]
    # 3 factors of 240 correlation times: a variance is known to 5%, that of exp(gain) to twice as much
    assert lagged[1] == pytest.approx(lagged[0], rel=0.25)
    pairs = [np.abs(np.corrcoef(c.reshape(-1, 60).T)[np.triu_indices(60, 1)]).mean() for c in (with_factors, alone)]
    assert pairs[0] > 2 * pairs[1]
    assert truth(SmoothNoise(), "latents")["latent"].shape == (60, 200, 0)
    assert truth(SmoothNoise(), "dimensionality")["linear"] == 0


@pytest.mark.parametrize(("intrinsic", "sharpness"), [(1, 1), (1, 4), (2, 1), (2, 2)])
def test_a_curved_manifold_has_the_linear_dimension_of_its_harmonics(intrinsic, sharpness):
    circuit = CurvedManifold(intrinsic=intrinsic, sharpness=sharpness, model="rate", n_neurons=100)
    subject, activity = ran(circuit, 20)
    told = subject.truth("dimensionality", activity, stream(1, "truth"))
    assert rank(activity["rate"].values) == told["linear"] == (2 * sharpness + 1) ** intrinsic - 1
    latent = subject.truth("latents", activity, stream(1, "truth"))["latent"].values
    flat, states = activity["rate"].values.reshape(-1, 100), latent.reshape(-1, latent.shape[2])
    design = np.column_stack([np.ones(len(states)), states])
    left = flat - design @ np.linalg.lstsq(design, flat, rcond=None)[0]
    assert np.abs(left).max() < 1e-8


def test_a_curved_manifold_is_as_wide_as_its_angles():
    """By another route: the states near one are a plane of as many dimensions as there are angles."""
    for intrinsic in (1, 2):
        circuit = CurvedManifold(intrinsic=intrinsic, n_neurons=200)
        preferred = np.random.default_rng(0).uniform(0, 2 * np.pi, (200, intrinsic))
        near = 1.0 + np.random.default_rng(1).normal(0, 1e-4, (1, 200, intrinsic))
        rates = circuit.tuned(near, preferred)[0]
        size = np.linalg.svd(rates - rates.mean(axis=0), compute_uv=False)
        assert (size > 1e-2 * size[0]).sum() == intrinsic


def test_tuning_has_the_width_that_is_stated():
    circuit = CurvedManifold(baseline=0.0)
    angle = np.linspace(-np.pi, np.pi, 3601)[None, :, None]
    curve = circuit.tuned(angle, np.zeros((1, 1)))[0, :, 0]
    wide = np.degrees(np.ptp(angle[0, curve > circuit.peak / 2, 0]))
    assert wide == pytest.approx(np.degrees(2 * np.arccos(2 ** (1 - 1 / 4) - 1)), abs=0.3)
    assert curve.max() == pytest.approx(30.0)


def test_the_variance_of_a_walk_grows_with_time_and_its_components_are_those_of_theory():
    circuit = RandomWalk(n_neurons=400, model="rate")
    _, activity = ran(circuit, 4)
    change = activity["rate"].values / 10.0 - 1
    # growth^2 t: 1600 walks, relative error sqrt(2 / 1600) = 3.5%
    assert change[:, 99].var() == pytest.approx(0.09, rel=0.15)
    one = activity["rate"].values[0]
    size = np.linalg.svd(one - one.mean(axis=0), compute_uv=False) ** 2
    assert size[0] / size.sum() == pytest.approx(6 / np.pi**2, abs=0.04)
    assert size[1] / size[0] == pytest.approx(1 / 4, abs=0.04)


def test_stimuli_vary_as_the_condition_says_and_alike_without_a_shift():
    told = truth(ShiftedStimuli(shift=0.9), "latents")
    for condition, variances in ((0, [1, 1, 0.1, 0.1]), (1, [0.1, 0.1, 1, 1])):
        shown = told["latent"].values[told["condition"].values == condition]
        # 60 s, some 120 correlation times: a variance is known to 13%
        np.testing.assert_allclose(shown.reshape(-1, 4).var(axis=0), variances, rtol=0.45)
    assert set(np.bincount(told["condition"].values)) == {30}
    alike = truth(ShiftedStimuli(shift=0.0), "latents")["latent"].values
    assert alike.var() == pytest.approx(1, abs=0.15)
    subject, activity = ran(ShiftedStimuli())
    assert mean_rates(activity).mean() == pytest.approx(subject.parts["base"].mean(), rel=0.08)


def test_no_instrument_records_latents():
    subject, activity = ran(LatentFactors())
    seen = Perfect().implant(subject.anatomy, stream(1, "implant")).record(activity, stream(1, "record"))
    assert "latent" in activity
    assert set(seen.data_vars) <= {"spike_trial", "spike_time", "spike_unit", "unit_x", "unit_y", "unit_z"}


def test_latents_of_a_session_that_was_not_run_are_not_told():
    with pytest.raises(LookupError, match="got no activity"):
        ran(LatentFactors())[0].truth("latents", None, stream(1, "truth"))
    with pytest.raises(LookupError, match="can answer dimensionality, latents, connectivity, got 'effect'"):
        ran(LatentFactors())[0].truth("effect", None, stream(1, "truth"))
    assert truth(CurvedManifold(intrinsic=2), "topology")["b1"] == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LatentFactors(n_neurons=2), "factors must be at most n_neurons, 2, got 3"),
        (lambda: CurvedManifold(baseline=40.0), "baseline must be <= peak"),
        (lambda: ShiftedStimuli(trained=4), "need trained < features"),
    ],
)
def test_parameters_that_do_not_fit_one_another_are_refused(make, message):
    with pytest.raises(SimlabError, match=message):
        make()


def test_a_family_has_parameters_of_its_own():
    one, other = (LatentFactors().prior(np.random.default_rng(seed)) for seed in (0, 1))
    assert one != other
    assert 2 <= one.factors <= 8
    assert SmoothNoise().imitating(one).like == one
    assert replace(one, factors=3).dimensions() == {"linear": 3, "intrinsic": 3}
