"""Who shares a filter: cells of a convolutional retina, and cells that have nothing in common."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.coding.tied_retina import TiedRetina
from circuits.coding.untied_retina import UntiedRetina
from methods.coding.automatic_smoothness import AutomaticSmoothness
from methods.coding.pooled_filters import PooledFilters, pooled
from methods.coding.shared_filters import SharedFilters, _alike
from simlab.instruments.recording.perfect import Perfect
from simlab.questions.assemblies import Assemblies
from simlab.streams import stream


def recorded(circuit):
    subject = circuit.subject(stream(1, "subject"))
    session = subject.session(trials=1, duration=60.0, rng=stream(1, "session"))
    activity = subject.run(session, stream(1, "run"))
    implant = Perfect().implant(subject.anatomy, stream(1, "implant"))
    truth = Assemblies().project(subject.truth("assemblies", activity, stream(1, "truth")), implant.key)
    return implant.record(activity, stream(1, "record")), truth


@pytest.fixture(scope="module")
def tied():
    return recorded(TiedRetina())


def test_types_are_found_and_none_where_every_cell_is_its_own(tied):
    recording, truth = tied
    found = SharedFilters().analyse(recording, stream(1, "m"))
    assert Assemblies().score(found, truth)["adjusted_rand"] > 0.95
    recording, truth = recorded(UntiedRetina())
    assert not Assemblies().false_recovery(SharedFilters().analyse(recording, stream(1, "m")), truth)


def test_a_unit_without_a_filter_is_with_none_that_has_one(tied):
    recording, _ = tied
    silent = recording.isel(spike=np.flatnonzero(recording["spike_unit"].values != 3))
    group = SharedFilters().analyse(silent, stream(1, "m")).estimate["group"]
    assert (group == group[3]).sum() == 1
    assert group.min() == 0


def test_pictures_are_alike_wherever_they_lie():
    rng = np.random.default_rng(0)
    patch = rng.standard_normal((3, 3))
    pictures = np.zeros((3, 8, 8))
    pictures[0, :3, :3] = pictures[1, 4:7, 5:8] = patch
    pictures[2, :3, :3] = rng.standard_normal((3, 3))
    pictures /= np.sqrt((pictures**2).sum(axis=(1, 2), keepdims=True))
    alike = _alike(pictures, pictures)
    assert alike[0, 1] == pytest.approx(1)
    assert alike == pytest.approx(alike.T)
    assert alike[0, 2] < 0.9
    assert _alike(pictures, pictures, shifted=False)[0, 1] == pytest.approx(0)


def test_it_abstains_without_pictures_or_filters(tied):
    recording = tied[0]
    named = recording.assign_coords(feature=[f"spectral band {k}" for k in range(100)])
    assert "pictures" in SharedFilters().analyse(named, stream(1, "m")).abstained
    silent = recording.isel(spike=slice(0, 0))
    assert "too few" in SharedFilters().analyse(silent, stream(1, "m")).abstained


def test_what_one_knows_all_know(tied):
    rng = np.random.default_rng(1)
    patch = rng.standard_normal((3, 3))
    true = np.zeros((6, 8, 8))
    for k, (row, column) in enumerate([(0, 0), (2, 5), (4, 1), (1, 3), (5, 5), (3, 2)]):
        true[k, row : row + 3, column : column + 3] = patch
    true /= np.sqrt((true**2).sum(axis=(1, 2), keepdims=True))
    noisy = true + 0.06 * rng.standard_normal(true.shape)
    mended = pooled(noisy, np.ones(6))
    errors = [np.sqrt(((part - true) ** 2).mean()) for part in (noisy, mended)]
    assert errors[1] < 0.75 * errors[0]  # 1 / sqrt(6) where all overlap, and 1 where a frame is alone
    recording, _ = tied
    methods = (AutomaticSmoothness(), PooledFilters())
    own, all_of_them = (method.analyse(recording, stream(1, "m")).estimate["filter"] for method in methods)
    assert ((np.abs(own).max(axis=1) > 0) == (np.abs(all_of_them).max(axis=1) > 0)).all()
    truth = TiedRetina().subject(stream(1, "subject")).first
    scores = [
        np.median((f * truth).sum(axis=1) / (np.linalg.norm(f, axis=1) * np.linalg.norm(truth, axis=1) + 1e-12))
        for f in (own, all_of_them)
    ]
    assert scores[1] > scores[0]
