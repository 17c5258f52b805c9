"""Moments and maps that are made by hand, of which the statistics of tuning tests are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy

from methods.topology._rate_maps import autocorrelogram, grid_score
from methods.tuning._moments import Bins, Moments, against_shifts, strongest, summed
from methods.tuning.across_sessions import AcrossSessions, _correlation, _nanmean
from methods.tuning.direction_vector import curve_vector, mean_vector, rayleigh
from methods.tuning.map_score import border_score
from methods.tuning.selected_model import SelectedModel, fitted, held_out
from methods.tuning.shannon_information import ShannonInformation, information
from methods.tuning.spatial_information import bits, bits_per_spike
from simlab.contracts import Finding, Needs
from simlab.data import recording
from simlab.streams import stream

NEEDS = Needs(("spikes",), stimulus=True)
NAMES = ("position", "head_direction", "speed")


def moments(counts: np.ndarray, heading: np.ndarray | None = None, size: int = 8, **bins: np.ndarray) -> Moments:
    """Moments of .1 s of one trial, with bins that are given, and of the heading where there is one."""
    counts = np.asarray(counts, dtype=float).reshape(len(counts), -1)
    sizes = {name: int(at.max()) + 1 for name, at in bins.items()}
    angle = np.zeros(len(counts)) if heading is None else np.asarray(heading)
    if heading is not None:
        bins["head_direction"], sizes["head_direction"] = (angle / (2 * np.pi) % 1 * size).astype(int), size
    return Moments(counts, bins, sizes, angle, np.zeros(len(counts), int), 0.1)


def walked(place: np.ndarray, spikes: tuple = ((), (), ()), step: float = 0.1) -> Moments | Finding:
    """Those of one trial with these places (edge, 2) [m], `step` [s] apart."""
    place = np.asarray(place, dtype=float)[None]
    columns = tuple(np.array(column, dtype=kind) for column, kind in zip(spikes, (int, float, int), strict=True))
    seen = recording(
        duration=step * place.shape[1], n_units=1, n_trials=1, spikes=columns, stimulus=place,
        time=np.arange(place.shape[1]) * step,
    )  # fmt: skip
    return Moments.of(seen.assign_coords(feature=["x", "y"]), NEEDS, Bins(position=2, head_direction=4, speed=2))


@pytest.mark.parametrize("quarter", range(4))
def test_headings_and_speeds_are_those_of_the_steps(quarter):
    way = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])[quarter]
    found = walked(np.r_[np.arange(10) * 0.01, 0.09 + np.arange(1, 10) * 0.03][:, None] * way)
    assert set(found.bins["head_direction"]) == {quarter}
    assert found.heading[0] % (2 * np.pi) == pytest.approx((quarter + 0.5) * np.pi / 2)
    assert found.bins["speed"].tolist() == [0] * 9 + [1] * 9  # three times as fast
    assert sum(found.occupancy["position"]) == 18


def test_moments_in_which_the_place_is_missing_are_left_out_with_their_spikes():
    place = np.cumsum(np.full((20, 2), 0.01), axis=0)
    place[5] = np.nan
    found = walked(place, ((0, 0, 0), (0.05, 0.45, 1.55), (0, 0, 0)))
    assert len(found.counts) == 17  # of 19 moments, two touch the edge that is missing
    assert found.counts.sum() == 2
    assert walked(np.full((20, 2), np.nan)).abstained == "the place was never seen"


def test_shifts_turn_and_permutations_keep_and_summing_is_by_bin():
    rng = stream(1, "counts")
    seen = moments(rng.poisson(1.0, (30, 2)), position=np.arange(30) % 3)
    assert (seen.shifted(12).shifted(18).counts == seen.counts).all()
    assert (np.sort(seen.permuted(rng).counts[:, 0]) == np.sort(seen.counts[:, 0])).all()
    assert seen.spikes("position").tolist() == [seen.counts[k::3].sum(axis=0).tolist() for k in range(3)]
    assert summed(np.array([2, 2]), 4, np.ones((2, 1)))[:, 0].tolist() == [0, 0, 2, 0]


@pytest.mark.parametrize(("least", "possible"), [(1.0, range(10, 21)), (1.4, range(14, 17)), (0.0, range(1, 30))])
def test_lags_are_as_far_from_either_end_as_was_asked(least, possible):
    lags = moments(np.zeros(30), position=np.zeros(30, int)).lags(200, least, stream(2, "lags"))
    assert set(lags) == set(possible)


def test_a_recording_is_not_shifted_by_half_of_itself():
    short = moments(np.zeros(30), position=np.zeros(30, int)).lags(5, 1.5, stream(2, "lags"))
    assert short.abstained == "3 s cannot be shifted by 1.5 s or more"


def test_a_statistic_is_significant_by_its_rank_and_named_by_how_far_it_stands_out():
    null = np.tile(np.linspace(-1, 1, 99)[:, None, None], (1, 4, 2))
    seen = np.array([[2.0, 0.0], [2.0, 3.0], [0.9, 0.9], [1.0, 0.0]])
    assert against_shifts(seen, null, 0.05, ("a", "b")).tolist() == ["a", "b", "none", "a"]
    assert against_shifts(seen, null, 0.019, ("a", "b")).tolist() == ["none"] * 4  # 1 / 100 is above .019 / 2
    assert strongest(np.array([[5.0, 1.0]]), np.array([[False, True]]), ("a", "b")).tolist() == ["b"]


@pytest.mark.parametrize("bins", [2, 4, 16])
def test_a_cell_of_one_bin_of_many_has_the_logarithm_of_their_number(bins):
    at = np.arange(bins * 12) % bins
    counts = np.stack([at == 0, np.ones(len(at)), np.zeros(len(at)), 3.0 * (at == 0)], axis=1)
    seen = bits(moments(counts, position=at))[:, 0]
    assert seen == pytest.approx([np.log2(bins), 0.0, 0.0, np.log2(bins)])
    table = np.stack([np.stack([(counts[:, 0] == k)[at == b].sum() for b in range(bins)]) for k in (0, 1)])
    found, freedom = information(table[..., None].astype(float))
    assert found == pytest.approx([entropy([1 / bins, 1 - 1 / bins], base=2)])  # a spike, or none, is told by the bin
    assert freedom[0] <= bins - 1


def test_bits_per_spike_are_the_divergence_from_the_time_spent():
    rng = stream(3, "divergence")
    spikes, time = rng.poisson(20, (6, 5)).astype(float), rng.uniform(1, 5, 6)
    known = [entropy(unit / unit.sum(), time / time.sum(), base=2) for unit in spikes.T]
    assert bits_per_spike(spikes, time) == pytest.approx(known)
    assert bits_per_spike(7 * spikes, 3 * time) == pytest.approx(known)


def test_information_is_symmetrical_and_none_where_counts_are_independent():
    table = stream(4, "table").poisson(9, (3, 3, 1)).astype(float)
    assert information(table)[0] == pytest.approx(information(table.swapaxes(0, 1))[0])
    assert information(np.outer([2, 5], [1, 3, 4])[..., None].astype(float))[0] == pytest.approx([0.0], abs=1e-12)
    assert information(np.zeros((2, 4, 1)))[0].tolist() == [0.0]


def test_more_spikes_than_the_most_count_as_so_many():
    at, counts = np.tile([0, 1], 40), np.tile([2.0, 5.0], 40)
    seen = moments(counts, position=at)
    assert ShannonInformation(most=2)._information(seen)[0][0, 0] == pytest.approx(0.0)
    assert ShannonInformation(most=3)._information(seen)[0][0, 0] == pytest.approx(1.0)


@pytest.mark.parametrize("preferred", [0.3, 2.0, 5.5])
def test_a_cosine_of_heading_has_a_curve_of_half_length_whatever_time_is_spent_where(preferred):
    heading = (np.arange(3600) + 0.5) / 3600 * 2 * np.pi
    often = 1 + (heading < np.pi)  # twice as many moments of one half
    heading = np.repeat(heading, often)
    rate = 1 + np.cos(heading - preferred)
    length, angle = (f(curve_vector(moments(rate, heading, 72))[0]) for f in (np.abs, np.angle))
    assert (length, angle % (2 * np.pi)) == (pytest.approx(0.5, abs=2e-3), pytest.approx(preferred, abs=2e-3))
    flat = moments(np.ones(len(heading)), heading, 72)
    assert abs(curve_vector(flat)[0]) < 1e-9
    vector, n = mean_vector(flat)
    assert abs(vector[0]) == pytest.approx(2 / (3 * np.pi), abs=1e-3)  # the mean of headings, and not of any tuning
    assert rayleigh(np.abs(vector), n)[0] < 1e-9


def test_rayleighs_p_falls_with_the_length_and_with_the_number_of_spikes():
    lengths = np.linspace(0, 1, 11)
    assert (np.diff(rayleigh(lengths, np.full(11, 20.0))) < 0).all()
    assert (np.diff(rayleigh(np.full(4, 0.3), np.array([5.0, 20, 80, 320]))) < 0).all()
    assert rayleigh(np.array([0.0, 1.0]), np.array([50.0, 0.0])) == pytest.approx([1.0, 1.0])
    # of many angles p is exp(-n R^2)
    assert np.log(rayleigh(np.array([0.05]), np.array([4000.0]))) == pytest.approx([-10.0], rel=0.02)


def spots(angles: tuple[float, ...], period: float = 9.0, side: int = 36) -> np.ndarray:
    """A map of plane waves along directions [degrees], summed."""
    at = np.indices((side, side)) - side / 2
    k = np.deg2rad(angles)
    waves = np.cos(2 * np.pi / period * (np.cos(k)[:, None, None] * at[0] + np.sin(k)[:, None, None] * at[1]))
    return waves.sum(axis=0)


def test_three_waves_make_a_grid_and_two_or_one_make_none():
    triangular, square, stripes = (grid_score(autocorrelogram(spots(a))) for a in ((5, 65, 125), (5, 95), (5,)))
    assert triangular > 1.0
    assert max(square, stripes) < 0.2
    turned, louder = spots((35, 95, 155)), 1 + 4 * spots((5, 65, 125))
    assert grid_score(autocorrelogram(turned)) == pytest.approx(triangular, abs=0.2)
    assert grid_score(autocorrelogram(louder)) == pytest.approx(triangular, abs=1e-6)


def test_a_border_is_one_on_any_wall_and_at_any_rate():
    wall = np.zeros((20, 20))
    wall[:2, 3:] = 1.0
    scores = [border_score(np.rot90(gain * wall, k)) for k in range(4) for gain in (0.1, 10.0)]
    assert scores == pytest.approx([scores[0]] * 8)
    # it covers 17 of 20; its two rows lie .05 and .15 of half a box from the wall, less in the corner
    far = np.minimum(np.array([[0.05], [0.15]]), np.minimum(np.arange(3, 20) + 0.5, 16.5 - np.arange(17)) / 10).mean()
    assert scores[0] == pytest.approx((0.85 - far) / (0.85 + far))
    speck = np.zeros((20, 20))
    speck[0, :7] = 1.0
    assert border_score(speck) == -1.0  # 7 of 400 bins are no field


def test_a_model_of_no_variable_is_the_mean_and_adds_nothing():
    rng = stream(5, "models")
    place = rng.integers(0, 4, 3000)
    counts = rng.poisson(np.stack([0.2 + 0.8 * (place == 1), np.full(3000, 0.4)], axis=1))
    seen = moments(counts, position=place, speed=rng.integers(0, 3, 3000))
    score = held_out(seen, 10, 5)
    assert set(score) == {(), ("position",), ("speed",), ("position", "speed")}
    assert not score[()].any()
    rate = np.array([0.2, 1.0, 0.2, 0.2])
    known = (rate * np.log2(rate / rate.mean())).mean() / rate.mean()
    assert score["position",][:, 0].mean() == pytest.approx(known, rel=0.2)  # bits per spike, as Skaggs' of the curve
    assert (score["speed",].mean(axis=0) < 0.002).all()
    mean = fitted({}, {}, np.full((1, 5), 10.0), np.full((1, 5, 1), 20.0))
    assert mean == pytest.approx(np.full((1, 5, 1), 2.0), rel=1e-4)


@pytest.mark.parametrize(
    ("gains", "order"),
    [
        ({("a",): 0.2, ("b",): 0.1, ("a", "b"): 0.3}, ("a", "b")),
        ({("a",): 0.1, ("b",): 0.2, ("a", "b"): 0.3}, ("b", "a")),
        ({("a",): 0.2, ("b",): 0.1, ("a", "b"): 0.2}, ("a",)),
        ({("a",): -0.1, ("b",): -0.2, ("a", "b"): 0.5}, ()),
        ({("a",): 1e-9, ("b",): 0.0, ("a", "b"): 1e-9}, ()),  # rounding is no gain
    ],
)
def test_variables_are_selected_one_by_one_as_long_as_each_adds_something(gains, order):
    fold = 1 + 0.01 * np.arange(10)
    score = {(): np.zeros(10)} | {model: gain * fold for model, gain in gains.items()}
    assert SelectedModel()._selected(score) == order


def test_correlations_over_bins_do_not_know_the_gain_and_those_over_units_do():
    rng = stream(6, "maps")
    one = rng.uniform(1, 5, (40, 12))
    gained = one * rng.uniform(0.1, 4, 12)
    assert _correlation(one, gained, 0) == pytest.approx(np.ones(12))
    assert _correlation(one, gained, 1).max() < 0.95
    assert _correlation(one, 3 * one + 2, 1) == pytest.approx(np.ones(40))
    assert np.isnan(_correlation(np.ones((4, 2)), one[:4, :2], 0)).all()
    assert np.isnan(_correlation(np.empty((0, 2)), np.empty((0, 2)), 0)).all()
    means = _nanmean(np.array([[1.0, np.nan, np.nan], [3.0, 2.0, np.nan]]))
    assert means[:2].tolist() == [2.0, 2.0]
    assert np.isnan(means[2])


def test_days_that_are_compared_are_half_of_all_days_apart():
    rng = stream(7, "days")
    fixed, moving = rng.uniform(0, 5, (1, 1, 30, 6)), rng.uniform(0, 5, (6, 1, 30, 6))
    many, visited = np.full((6, 2, 6), 100.0), np.ones((6, 2, 30), bool)
    late = np.where(np.arange(6)[:, None, None, None] < 3, fixed, moving)  # moves from the fourth day on
    for maps, low, high in ((fixed + 0 * moving, 1.0, 1.0), (moving, -0.3, 0.3), (late, -0.3, 0.3)):
        within, across = AcrossSessions()._agreements(np.repeat(maps, 2, axis=1), many, visited)
        assert within == pytest.approx(np.ones(6))
        assert (low - 1e-9 <= across.mean()) & (across.mean() <= high + 1e-9)
    few = np.where(np.arange(6) == 2, 19.0, many)
    within, across = AcrossSessions()._agreements(np.repeat(moving, 2, axis=1), few, visited)
    assert np.flatnonzero(np.isnan(across)).tolist() == [2]
