"""Frames with edges; a retina whose cells share filters and one whose cells do not; a cortex that explains away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import simlab
from circuits.coding import sparse_coding_cortex, visual
from circuits.coding.sparse_coding_cortex import SparseCodingCortex, whitened
from circuits.coding.tied_retina import TiedRetina
from circuits.coding.untied_retina import UntiedRetina
from circuits.coding.visual import Look
from simlab.activity_statistics import fano_factors, interval_cv
from simlab.contracts import SimlabError
from simlab.data import bin_spikes, mean_rates
from simlab.streams import stream

CORTEX = SparseCodingCortex(n_neurons=40, look=Look(side=8, frames="leaves"))


def ran(circuit, trials=4):
    subject = circuit.subject(stream(1, "subject"))
    session = subject.session(trials=trials, duration=20.0, rng=stream(1, "session"))
    return subject, subject.run(session, stream(1, "run"))


@pytest.mark.parametrize("name", ["tied_retina", "untied_retina", "sparse_coding_cortex"])
def test_they_keep_the_contract(name):
    assert simlab.check(name).ok


def test_leaves_have_edges_about_natural_amplitudes_and_variance_one():
    shown = visual.shown((2, 3000), 8, "leaves", np.random.default_rng(0))
    assert shown.var() == pytest.approx(1, abs=0.05)
    assert shown.mean(axis=2) == pytest.approx(np.zeros((2, 3000)), abs=1e-9)
    power = (np.abs(np.fft.fft2(shown.reshape(-1, 8, 8))) ** 2).mean(axis=0)
    # 2 but for pixels, which cut edges into steps, and for borders, at which frames do not go on
    assert 1 < np.log(power[0, 1] / power[0, 4]) / np.log(4) < 2.2
    tails = []
    for frames in ("natural", "leaves"):
        look = Look(frames=frames)
        along = (
            visual.shown((1, 4000), 8, frames, np.random.default_rng(1))[0]
            @ whitened(visual.gabors(20, 8, np.random.default_rng(2))[0], look).T
        )
        tails.append(((along**4).mean(axis=0) / (along**2).mean(axis=0) ** 2 - 3).mean())
    assert tails[0] == pytest.approx(0, abs=0.2)
    assert tails[1] > 0.5  # of natural images 4 and more (Field 1987): frames as small as these hold few edges


def test_cells_of_a_type_have_one_filter_in_different_places():
    circuit = TiedRetina()
    subject = circuit.subject(stream(1, "s"))
    pictures, group = subject.first.reshape(-1, 10, 10), subject.alike
    assert pictures.shape[0] == 36 == circuit.types * circuit.n_places
    corner = {0: (0, 0), 5: (2, 4)}  # places row by row, two pixels apart
    for kind in range(4):
        own = pictures[group == kind]
        patches = [own[p][r : r + 6, c : c + 6] for p, (r, c) in corner.items()]
        assert patches[0] == pytest.approx(patches[1])
    between = np.corrcoef([pictures[group == kind][4].ravel() for kind in range(4)])
    assert np.abs(between[np.triu_indices(4, 1)]).max() < 0.95


def test_the_untied_share_places_rates_and_irregularity_but_no_filters():
    tied, untied = TiedRetina(), UntiedRetina()
    (one, seen), (other, unlike) = ran(tied, 8), ran(untied, 8)
    assert ((np.abs(one.first).sum(axis=0) > 0) == (np.abs(other.first).sum(axis=0) > 0)).all()
    for statistic in (mean_rates, interval_cv, fano_factors):
        assert np.nanmean(statistic(unlike)) == pytest.approx(np.nanmean(statistic(seen)), rel=0.15)
    assert np.linalg.matrix_rank(other.first @ other.first.T) >= np.linalg.matrix_rank(one.first @ one.first.T)
    truth = [s.truth("assemblies", None, stream(1, "t"))["group"].values for s in (one, other)]
    assert (np.unique(truth[0]).size, np.unique(truth[1]).size) == (4, 1)
    assert 3 < mean_rates(seen).mean() < 12
    assert 0.8 < np.nanmean(interval_cv(seen)) < 2.0


def test_a_patch_must_fit_the_frame():
    with pytest.raises(SimlabError, match="patch must fit the frame of 4 pixels, got 6"):
        TiedRetina(look=Look(side=4))


def test_at_rest_codes_are_the_sparse_explanation_of_the_frame_and_nearly_so_within_it(monkeypatch):
    from sklearn.linear_model import Lasso

    rng = np.random.default_rng(3)
    elements, _ = visual.gabors(40, 8, rng)
    frames = rng.standard_normal((4, 64))
    drive = frames[None] @ elements.T
    in_time, alone = (c.codes(drive, elements)[0] for c in (CORTEX, replace(CORTEX, inhibition=0.0)))
    monkeypatch.setattr(sparse_coding_cortex, "STEPS", 1500)
    at_rest = CORTEX.codes(drive, elements)[0]

    def cost(code):
        return ((frames - code @ elements) ** 2).sum(axis=1) / 2 + CORTEX.threshold * code.sum(axis=1)

    lasso = Lasso(alpha=CORTEX.threshold / 64, positive=True, fit_intercept=False, tol=1e-6)
    exact = np.array([lasso.fit(elements.T, frame).coef_ for frame in frames])
    assert cost(at_rest) == pytest.approx(cost(exact), rel=1e-3)
    assert at_rest == pytest.approx(exact, abs=0.05)
    assert cost(in_time) == pytest.approx(cost(exact), rel=0.05)
    assert (at_rest > 0).mean() < (alone > 0).mean()
    assert alone == pytest.approx(np.maximum(drive[0] - CORTEX.threshold, 0), abs=1e-5)


def test_whitened_filters_see_the_frame_through_the_retina():
    look = Look(frames="natural")
    elements, _ = visual.gabors(3, 8, np.random.default_rng(4))
    frame = visual.shown((1, 1), 8, "natural", np.random.default_rng(5))[0, 0]
    gain = visual.amplitudes(8, "natural")
    seen = np.fft.ifft2(np.fft.fft2(frame.reshape(8, 8)) / np.where(gain > 0, gain, np.inf)).real
    assert whitened(elements, look) @ frame == pytest.approx(elements @ seen.ravel())
    assert whitened(elements, Look()) == pytest.approx(elements)


def test_a_cell_is_silenced_by_what_others_explain_better():
    subject, activity = ran(CORTEX)
    assert 3 < mean_rates(activity).mean() < 12
    assert 0.8 < np.nanmean(interval_cv(activity)) < 2.5
    assert 0.8 < np.nanmean(fano_factors(activity)) < 4
    frames = activity["stimulus"].values
    said = subject.rates(frames, stream(1, "x"))
    counts = bin_spikes(activity, CORTEX.look.frame).values
    said = said[:, : counts.shape[1]] * CORTEX.look.frame
    slope = (said * counts).sum() / (said**2).sum()
    assert slope == pytest.approx(1, abs=0.1)
    # the element of another cell, added to a frame, takes away from one that is like it
    drive = frames[0, :50] @ subject.first.T
    elements = CORTEX.subject(stream(1, "subject"))
    alike = np.corrcoef(elements.first)
    pair = np.unravel_index(np.argmax(np.where(np.eye(40) > 0, -1, alike)), alike.shape)
    linear = np.corrcoef(drive[:, pair[0]], drive[:, pair[1]])[0, 1]
    coded = np.corrcoef(said[0, :, pair[0]], said[0, :, pair[1]])[0, 1]
    assert coded < linear - 0.2
