"""Cells with one filter, with two, and with none of what is shown; white and natural-like frames."""

from __future__ import annotations

import numpy as np
import pytest

import simlab
from circuits.coding import visual
from circuits.coding.unseeing_cells import UnseeingCells
from circuits.coding.v1_complex import V1Complex
from circuits.coding.v1_simple import V1Simple
from circuits.coding.visual import Look
from simlab.activity_statistics import fano_factors, interval_cv
from simlab.contracts import SimlabError
from simlab.data import bin_spikes, mean_rates
from simlab.session import Session
from simlab.streams import stream

SMALL = {"n_neurons": 8, "look": Look(side=6)}


def ran(circuit, trials=6, seed=1):
    subject = circuit.subject(stream(seed, "subject"))
    session = subject.session(trials=trials, duration=20.0, rng=stream(seed, "session"))
    return subject, subject.run(session, stream(seed, "run"))


@pytest.mark.parametrize("name", ["v1_simple", "v1_complex", "unseeing_cells"])
def test_they_keep_the_contract(name):
    assert simlab.check(name).ok


@pytest.mark.parametrize("frames", ["white", "natural"])
def test_frames_have_variance_one_and_their_spectrum_and_drives_are_standard(frames):
    rng = np.random.default_rng(0)
    shown = visual.shown((2, 3000), 8, frames, rng)
    assert shown.var() == pytest.approx(1, abs=0.02)
    power = (np.abs(np.fft.fft2(shown.reshape(-1, 8, 8))) ** 2).mean(axis=0)
    slope = np.log(power[0, 1] / power[0, 4]) / np.log(4)
    assert slope == pytest.approx({"white": 0.0, "natural": 2.0}[frames], abs=0.1)
    filters = visual.unit_drive(visual.gabors(10, 8, rng)[0], 8, frames)
    assert (shown @ filters.T).std(axis=(0, 1)) == pytest.approx(np.ones(10), abs=0.05)


def test_the_two_filters_of_a_cell_are_in_quadrature():
    first, second = visual.gabors(40, 12, np.random.default_rng(1))
    assert (first * second).sum(axis=1) == pytest.approx(np.zeros(40), abs=1e-12)
    assert (second**2).sum(axis=1) == pytest.approx(np.ones(40))
    spectra = [np.abs(np.fft.fft2(f.reshape(-1, 12, 12))).reshape(40, -1) for f in (first, second)]
    alike = [np.corrcoef(a, b)[0, 1] for a, b in zip(*spectra, strict=True)]
    assert np.median(alike) > 0.9  # the same orientation and frequency


@pytest.mark.parametrize("kind", [V1Simple, V1Complex])
def test_rates_follow_the_equation_and_negatives_of_frames_tell_the_kinds_apart(kind):
    circuit = kind(**SMALL)
    subject, activity = ran(circuit)
    frames = activity["stimulus"].values
    expected = subject.rates(frames, np.random.default_rng(0))
    counts = bin_spikes(activity, circuit.look.frame).values
    said = expected[:, : counts.shape[1]] * circuit.look.frame
    slope = (said * counts).sum(axis=(0, 1)) / (said**2).sum(axis=(0, 1))
    assert slope == pytest.approx(np.ones(8), abs=0.15)
    alike = np.allclose(subject.rates(-frames, np.random.default_rng(0)), expected)
    assert alike == (kind is V1Complex)


def test_the_unseeing_share_rates_and_irregularity_and_nothing_with_the_frames():
    circuit = V1Simple(**SMALL)
    (seeing, seen), (_, unseen) = ran(circuit, 12), ran(UnseeingCells(like=circuit), 12)
    assert mean_rates(unseen) == pytest.approx(mean_rates(seen), rel=0.15)
    assert np.nanmean(interval_cv(unseen)) == pytest.approx(np.nanmean(interval_cv(seen)), rel=0.1)
    for activity, least, most in ((seen, 0.2, 1.0), (unseen, -0.03, 0.03)):
        counts = bin_spikes(activity, circuit.look.frame).values
        said = seeing.rates(activity["stimulus"].values, np.random.default_rng(0))[:, : counts.shape[1]]
        r = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(said.T, counts.T, strict=True)]
        assert least < np.mean(r) < most


def test_activity_is_that_of_visual_neurons_in_noise():
    _, activity = ran(V1Complex(n_neurons=20, look=Look(side=6)))
    assert 3 < mean_rates(activity).mean() < 12
    assert 0.9 < np.nanmean(interval_cv(activity)) < 2.0
    assert 0.9 < np.nanmean(fano_factors(activity)) < 2.5


def test_without_frames_of_its_size_nothing_is_simulated():
    subject = V1Simple(**SMALL).subject(stream(1, "s"))
    with pytest.raises(SimlabError, match="looks at frames of 36 pixels, got nothing: show some"):
        subject.run(Session(1, 1.0), stream(1, "r"))
