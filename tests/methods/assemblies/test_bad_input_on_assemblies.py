"""Whatever is recorded, methods that divide units into groups give every unit one, or say what is missing."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import xarray as xr
from nasty_recordings import SIGNALS, SPIKES

from methods.assemblies._partitions import (
    above_chance,
    best_cut,
    binned,
    correlations,
    nearest_centres,
    spectral_groups,
    standardised,
)
from methods.assemblies.kmeans_communities import KmeansCommunities
from methods.assemblies.louvain_communities import LouvainCommunities, louvain
from methods.assemblies.promax_assemblies import PromaxAssemblies, _threshold, promax, varimax
from methods.assemblies.pushed_assembly import PushedAssembly, _kept
from methods.assemblies.similarity_graph import SimilarityGraph
from simlab import registry
from simlab.contracts import Finding
from simlab.data import missing, recording
from simlab.streams import stream

METHODS = {
    "kmeans": KmeansCommunities(most_groups=3),
    "louvain": LouvainCommunities(restarts=1),
    "newman": LouvainCommunities(null="configuration", restarts=1),
    "promax": PromaxAssemblies(),
    "patterns": SimilarityGraph(shuffles=2),
}
GROUPS = np.repeat([0, 1, 2], 5)
FEW_UNITS = ("two units", "one unit", "two units, one silent", "two traces", "one trace", "two traces, one constant")
CHOSEN = (
    "a silent unit", "all silent", "one spike each", "doubled units", "all units alike", "one trial", "trials of 20 ms",
    "trials of unequal length", "a unit in every bin", "more units than trials and spikes", *FEW_UNITS[:3],
)  # fmt: skip
TRACES = (
    "a plain signal", "constant traces", "a constant trace", "a missing frame", "missing frames of one unit",
    "a unit never seen", "nothing seen", "one sample", "an outlier", "huge values", *FEW_UNITS[3:],
)  # fmt: skip


@pytest.fixture(scope="module")
def worlds():
    seen = {what: SPIKES[what]() for what in CHOSEN}
    return seen | {f"signal: {what}": SIGNALS[what]("fluorescence") for what in TRACES}


@pytest.mark.parametrize("name", METHODS)
def test_every_unit_gets_a_group_or_there_is_a_reason(name, worlds):
    answered, method = 0, METHODS[name]
    for what, world in worlds.items():
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            found = finding(method, world)
        answered += not found.abstained
        if what.removeprefix("signal: ") in FEW_UNITS:
            assert f"at least 3 units, got {world.sizes['unit']}" in found.abstained
        elif found.abstained:
            assert any(word in found.abstained for word in ("too few", "trials of one length")), what
        else:
            group = found.estimate["group"]
            assert group.shape == (world.sizes["unit"],), what
            assert group.min() >= 0, what
    assert answered >= 8


def finding(method, world: xr.Dataset) -> Finding:
    reason = missing(world, method.needs)
    return Finding.abstain(reason) if reason else method.analyse(world, stream(1, method.name))


def planted(turns: bool = True, bins: int = 400, silent: int = 0) -> np.ndarray:
    """Traces (bin, unit) of groups that take turns or each follow bursts of their own; then units that show nothing."""
    rng = stream(1, "planted")
    drive = np.eye(3)[rng.integers(0, 3, bins)] if turns else rng.standard_normal((bins, 3)) ** 3
    traces = 3 * drive[:, GROUPS] + rng.standard_normal((bins, len(GROUPS)))
    return np.c_[traces, np.zeros((bins, silent))]


def imaged(traces: np.ndarray) -> xr.Dataset:
    bins, n = traces.shape
    times = np.arange(bins // 2) * 0.1
    signal = traces.reshape(2, bins // 2, n)
    return recording(
        duration=bins * 0.05, n_units=n, n_trials=2, signal=signal, modality="fluorescence", sample_time=times
    )


def together(group: np.ndarray) -> list:
    return (group[:, None] == group).tolist()


@pytest.mark.parametrize("name", METHODS)
def test_groups_of_traces_are_found_whatever_their_scale_and_order_and_who_is_silent(name):
    # of three that take turns two say all, and as many are active at any time
    method, traces = METHODS[name], planted(turns=name not in ("promax", "patterns"), silent=2)
    order = np.r_[stream(2, "order").permutation(15), 15, 16]
    for seen, known in ((traces, GROUPS), (1e6 * traces - 5, GROUPS), (traces[:, order], GROUPS[order[:15]])):
        group = finding(method, imaged(seen)).estimate["group"]
        assert together(group[:15]) == together(known)
        if name != "kmeans":  # to which they are as near as to one another
            assert not set(group[15:]) & set(group[:15])


@pytest.mark.parametrize("name", ["correlation_communities", "ica_assemblies", "nmf_components"])
def test_trials_that_no_bin_fits_into_have_no_groups(name, worlds):
    short = registry.create("methods", name, width=0.1)
    found = finding(short, worlds["trials of 20 ms"])
    assert "0 active units in 0 bins" in found.abstained or set(found.estimate["group"]) == {0}


def test_a_gap_is_left_out_and_a_unit_never_seen_costs_the_others_nothing():
    traces = planted(bins=40)
    traces[[3, 8], [0, 5]] = np.nan
    assert binned(imaged(traces), 0.1) == pytest.approx(np.delete(traces, [3, 8], axis=0))
    traces[:, 2] = np.nan
    kept = binned(imaged(traces), 0.1)
    assert kept.shape == (38, 15)
    assert standardised(kept)[1].tolist() == [unit != 2 for unit in range(15)]


def test_trials_are_laid_one_after_another_and_spikes_are_counted():
    columns = np.array([1, 0, 0]), np.array([0.05, 0.15, 0.16]), np.array([0, 1, 1])
    seen = recording(duration=0.2, n_units=2, n_trials=2, spikes=columns)
    assert binned(seen, 0.1).tolist() == [[0, 0], [0, 2], [1, 0], [0, 0]]
    traces = planted(bins=40)
    assert binned(imaged(traces), 0.1) == pytest.approx(traces)


def test_correlations_are_nought_with_a_unit_that_does_not_vary():
    values = np.c_[np.arange(5.0), -np.arange(5.0), np.full(5, 3.0)]
    assert correlations(values) == pytest.approx(np.array([[1, -1, 0], [-1, 1, 0], [0, 0, 1]]))
    assert correlations(np.ones((5, 3))).tolist() == np.eye(3).tolist()
    z, varied = standardised(values)
    assert varied.tolist() == [True, True, False]
    assert z.T @ z / 5 == pytest.approx(np.array([[1, -1], [-1, 1]]))


@pytest.mark.parametrize("shared", [0.0, 0.3, 0.6])
def test_a_group_of_n_units_with_correlation_r_has_the_eigenvalue_that_n_and_r_give(shared):
    rng = stream(3, "eigenvalues")
    drive = rng.standard_normal((6000, 2))[:, np.repeat([0, 1], 8)]
    z, _ = standardised(np.sqrt(shared) * drive + np.sqrt(1 - shared) * rng.standard_normal((6000, 16)))
    values, vectors = above_chance(z)
    if not shared:
        assert len(values) == 0
        return
    assert values == pytest.approx(np.full(2, 1 + 7 * shared), rel=0.1)
    inside = (vectors**2).reshape(2, 8, 2).sum(axis=(1, 2))
    assert inside == pytest.approx([1.0, 1.0], abs=0.05)  # one dimension of two lies in each


def test_a_tree_is_cut_where_groups_stand_apart():
    at = np.r_[0.0, 0.1, 0.2, 5.0, 5.1, 9.0, 9.1]
    cut, quality = best_cut(np.abs(at[:, None] - at), 6)
    assert together(cut) == together(np.array([0, 0, 0, 1, 1, 2, 2]))
    assert quality > 0.9
    assert len(np.unique(best_cut(np.abs(at[:, None] - at), 2)[0])) == 2
    assert best_cut(np.zeros((2, 2)), 5) == (pytest.approx(np.zeros(2)), 0.0)


@pytest.mark.parametrize("cliques", [2, 3, 5])
def test_cliques_with_weak_ties_are_the_groups_of_a_graph(cliques):
    member = np.repeat(np.arange(cliques), 6)
    weights = np.where(member[:, None] == member, 1.0, 0.01) - np.eye(len(member))
    group, n = spectral_groups(np.maximum(weights, 0), 10, stream(4, "graph"))
    assert n == cliques
    assert together(group) == together(member)
    assert spectral_groups(weights, 2, stream(4, "graph"))[1] == 2  # no more than are allowed
    rows = 10.0 * np.eye(cliques)[member] + 0.1 * stream(4, "rows").standard_normal((len(member), cliques))
    assert together(nearest_centres(rows, cliques, stream(4, "means"))) == together(member)


def test_communities_depend_on_neither_scale_nor_order_and_none_gains_by_leaving():
    rng = stream(5, "louvain")
    b = np.where(GROUPS[:, None] == GROUPS, 1.0, -0.3) + 0.2 * rng.standard_normal((15, 15))
    b = (b + b.T) * (1 - np.eye(15))
    order = rng.permutation(15)
    found = louvain(b, stream(5, "a"))
    assert together(louvain(1e3 * b, stream(5, "a"))) == together(found)
    assert together(louvain(b[np.ix_(order, order)], stream(5, "b"))) == together(found[order])
    gain = b @ np.eye(found.max() + 1)[found]
    assert (gain.argmax(axis=1) == found).all()
    assert louvain(-np.ones((4, 4)) + np.eye(4), rng).tolist() == [0, 1, 2, 3]
    assert set(louvain(np.ones((4, 4)) - np.eye(4), rng)) == {0}


def test_newmans_null_leaves_nothing_to_a_unit_or_to_all_together():
    z, _ = standardised(planted())
    b = LouvainCommunities(null="configuration")._beyond(z)
    strength = np.maximum(z.T @ z / len(z), 0.0).sum(axis=1) - 1
    # rows sum to nothing, but for the diagonal that is left out
    assert b.sum(axis=1) == pytest.approx(strength**2 / strength.sum())
    assert b == pytest.approx(b.T)
    few = LouvainCommunities().analyse(imaged(planted(bins=12)), stream(6, "few"))
    assert few.abstained == "15 active units in 12 bins: too few to correlate"


def test_rotations_keep_what_loadings_explain_and_one_component_is_left_as_it_is():
    loadings = stream(7, "loadings").standard_normal((20, 3))
    turned = varimax(loadings)
    assert turned @ turned.T == pytest.approx(loadings @ loadings.T)  # orthogonal
    assert (turned**2).var(axis=0).sum() >= (loadings**2).var(axis=0).sum()
    assert promax(loadings[:, :1], 4) is loadings[:, :1] or (promax(loadings[:, :1], 4) == loadings[:, :1]).all()
    assert promax(loadings, 1) == pytest.approx(turned)  # a target that is what is there already


@pytest.mark.parametrize(
    ("largest", "low", "high"),
    [
        (np.r_[np.linspace(0.1, 0.3, 20), np.linspace(2.0, 2.4, 20)], 0.5, 1.9),
        (np.linspace(1.0, 1.2, 20), 7.0, 7.0),
        (np.ones(20), 7.0, 7.0),
    ],
    ids=["two peaks", "one peak", "all alike"],
)
def test_the_threshold_lies_between_two_peaks_where_there_are_two(largest, low, high):
    assert low <= _threshold(largest, 7.0) <= high


def test_as_many_are_active_together_by_chance_as_independent_units_are():
    active = stream(8, "active").random((2000, 40)) < 0.2
    assert SimilarityGraph()._most_by_chance(active, stream(8, "x")) == pytest.approx(12, abs=1)  # of binomial(40, .2)
    tied = SimilarityGraph(neighbours=2)._tied(np.repeat(np.eye(2), 5, axis=0))
    assert (tied == tied.T).all()
    assert ((tied > 0).sum(axis=1) >= 2).all()
    assert not tied[:5, 5:].any()
    assert not np.diagonal(tied).any()


def pushed_trials(recruited: float) -> tuple[xr.Dataset, np.ndarray]:
    """40 trials of a second; in every other one units 4 and 5 fire so many spikes more from .5 to .8 s."""
    rng, pushed = stream(9, "pushed"), np.arange(40) % 2 == 0
    counts = rng.poisson(20.0, (40, 12))
    trial, unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    time = rng.uniform(0, 1, len(trial))
    more = rng.poisson(recruited, (40, 2)) * pushed[:, None]
    row, column = (np.repeat(index.ravel(), more.ravel()) for index in np.indices(more.shape))
    columns = np.r_[trial, row], np.r_[time, rng.uniform(0.5, 0.8, len(row))], np.r_[unit, 4 + column]
    return recording(duration=1.0, n_units=12, n_trials=40, spikes=columns), pushed


@pytest.mark.parametrize(("recruited", "beyond"), [(0.0, False), (6.0, True)])
def test_what_a_push_recruits_is_the_rate_that_was_added(recruited, beyond):
    seen, pushed = pushed_trials(recruited)
    gain, p = PushedAssembly()._recruited(seen, np.array([4, 5]), np.arange(6), pushed, 0.5)
    assert gain == pytest.approx(recruited / 0.3, abs=6.0)  # Hz; 40 counts of 6: standard error some 3
    assert (p < 1e-3) == beyond
    whole = PushedAssembly()._recruited(seen, np.array([4, 5]), np.arange(12), pushed, 0.5)
    assert np.isfinite(whole).all()  # nobody is outside
    silent = recording(duration=1.0, n_units=12, n_trials=40, spikes=(np.empty(0, int), np.empty(0), np.empty(0, int)))
    assert PushedAssembly()._recruited(silent, np.array([4]), np.arange(6), pushed, 0.5) == (0.0, 1.0)


def test_trials_that_are_kept_keep_their_spikes_and_are_numbered_anew():
    seen, pushed = pushed_trials(5.0)
    kept = _kept(seen.isel(trial=np.flatnonzero(~pushed)))
    assert kept.sizes["trial"] == 20
    assert set(kept["spike_trial"].values) == set(range(20))
    assert kept.sizes["spike"] == (seen["spike_trial"].values % 2 == 1).sum()
    assert binned(kept, 0.5).sum() == kept.sizes["spike"]


def test_units_that_fire_together_stand_out_among_random_groups():
    method = PushedAssembly(draws=99)
    rng, n = stream(10, "together"), 12
    base = rng.random((10, 10, n)) < 0.3
    base[..., :5] = base[..., :1]
    trial, when, unit = np.nonzero(base)
    seen = recording(duration=1.0, n_units=n, n_trials=10, spikes=(trial, (when + 0.5) * 0.1, unit))
    assert method._together(seen, np.arange(5), rng) <= 0.02
    assert method._together(seen, np.arange(6, 11), rng) > 0.05
