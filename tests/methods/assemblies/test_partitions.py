"""Groups that are there are found, a population without any is left whole, and a common drive is taken for groups."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from methods.assemblies.connectome_communities import ConnectomeCommunities
from methods.assemblies.correlation_communities import CorrelationCommunities
from methods.assemblies.ica_assemblies import IcaAssemblies
from methods.assemblies.kmeans_communities import KmeansCommunities
from methods.assemblies.louvain_communities import LouvainCommunities, louvain
from methods.assemblies.promax_assemblies import PromaxAssemblies, promax, varimax
from methods.assemblies.similarity_graph import SimilarityGraph
from simlab.contracts import CONNECTOME
from simlab.data import recording
from simlab.questions.assemblies import Assemblies

GROUPS = np.repeat([0, 1, 2], 6)
WATCHING = (
    CorrelationCommunities(),
    IcaAssemblies(),
    KmeansCommunities(width=20e-3),
    LouvainCommunities(width=20e-3),
    PromaxAssemblies(width=20e-3),
    SimilarityGraph(width=20e-3),
)


def population(shared: float, rng: np.random.Generator, n_bins: int = 4000) -> xr.Dataset:
    """Counts in 20 ms with a drive that is shared within each group, in these shares of the variance of log rates."""
    drive = np.sqrt(shared) * rng.standard_normal((n_bins, 3))[:, GROUPS]
    rate = 50 * np.exp(drive + np.sqrt(1 - shared) * rng.standard_normal((n_bins, len(GROUPS))) - 0.5)
    counts = rng.poisson(rate * 20e-3)
    n_trials, per_trial = 4, n_bins // 4
    bins, unit = np.nonzero(counts)
    bins, unit = np.repeat(bins, counts[bins, unit]), np.repeat(unit, counts[bins, unit])
    time = 20e-3 * (bins % per_trial + rng.random(len(bins)))
    spikes = bins // per_trial, time, unit
    return recording(duration=per_trial * 20e-3, n_units=len(GROUPS), n_trials=n_trials, spikes=spikes)


def rand(method: object, seen: xr.Dataset) -> float:
    question = Assemblies()
    truth = xr.Dataset({"group": ("unit", GROUPS)})
    return question.score(method.analyse(seen, np.random.default_rng(0)), truth)["adjusted_rand"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("method", WATCHING, ids=lambda m: m.name)
def test_groups_that_share_a_drive_are_found_and_independent_units_are_left_whole(method: object) -> None:
    rng = np.random.default_rng(1)
    assert rand(method, population(0.9, rng)) > 0.9
    found = method.analyse(population(0.0, rng), rng)  # type: ignore[attr-defined]
    assert len(np.unique(found.estimate["group"])) == 1


def test_modules_of_a_wiring_diagram_are_found_and_a_random_one_has_none_to_find() -> None:
    rng, same = np.random.default_rng(2), GROUPS[:, None] == GROUPS[None]
    contacts = (rng.random(same.shape) < np.where(same, 0.8, 0.05)).astype(int)
    np.fill_diagonal(contacts, 0)
    seen = recording(duration=1.0, n_units=len(GROUPS), n_trials=1, contacts=contacts)
    assert rand(ConnectomeCommunities(), seen) == 1.0
    few = recording(duration=1.0, n_units=3, n_trials=1, contacts=np.zeros((3, 3), int))
    assert "too few" in ConnectomeCommunities().analyse(few, rng).abstained
    assert CONNECTOME in ConnectomeCommunities.needs.modalities


@pytest.mark.parametrize("method", WATCHING, ids=lambda m: m.name)
def test_silent_and_few_units_are_answered_or_abstained_on(method: object) -> None:
    silent = recording(duration=1.0, n_units=4, n_trials=2, spikes=(np.empty(0, int), np.empty(0), np.empty(0, int)))
    found = method.analyse(silent, np.random.default_rng(0))  # type: ignore[attr-defined]
    assert found.abstained or len(found.estimate["group"]) == 4


def test_louvain_finds_the_partition_of_the_greatest_modularity() -> None:
    rng = np.random.default_rng(3)
    b = rng.standard_normal((7, 7))
    b = b + b.T
    np.fill_diagonal(b, 0.0)

    def modularity(group: np.ndarray) -> float:
        return float((b * (group[:, None] == group)).sum())

    every = [np.array(labels) for labels in np.ndindex(*(4,) * 7)][::7]
    best = max(modularity(louvain(b, rng)) for _ in range(10))
    assert best >= max(modularity(group) for group in every) - 1e-9
    same = GROUPS[:, None] == GROUPS
    found = louvain(np.where(same, 1.0, -0.1) - np.eye(18), rng)
    assert (found[:, None] == found).tolist() == same.tolist()


def test_rotations_keep_the_space_and_make_loadings_simple() -> None:
    rng = np.random.default_rng(4)
    simple = np.eye(3)[GROUPS] + 0.02 * rng.standard_normal((18, 3))
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    for rotated in (varimax(simple @ turn), promax(simple @ turn, 4)):
        assert np.linalg.matrix_rank(np.c_[simple, rotated], tol=1e-6) == 3
        alike = np.abs(np.corrcoef(simple.T, rotated.T)[:3, 3:])
        assert alike.max(axis=1).min() > 0.95


def test_newmans_null_divides_units_that_have_nothing_in_common() -> None:
    seen = population(0.0, np.random.default_rng(5))
    found = LouvainCommunities(null="configuration", width=20e-3).analyse(seen, np.random.default_rng(5))
    assert len(np.unique(found.estimate["group"])) > 1
