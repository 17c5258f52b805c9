"""Whatever is looked at, methods that fit filters answer in form or name what is missing, and give the silent none."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

import simlab
from methods.coding._frames import Looked, folds, foretold, interval, looked, places, shifts, triggered
from methods.coding.automatic_smoothness import WIDTHS, AutomaticSmoothness, most_probable
from methods.coding.informative_dimensions import InformativeDimensions, corners, histogram, likelihood
from methods.coding.pooled_filters import PooledFilters, pooled
from methods.coding.quadratic_model import Quadratic, QuadraticModel
from methods.coding.shared_filters import SharedFilters, _alike, pictures
from methods.pipelines.flexible_predictor import FlexiblePredictor
from methods.pipelines.pipeline import Pipeline
from simlab.contracts import Finding
from simlab.data import recording

SIDE, TRIALS, FRAMES, STEP, UNITS = 4, 2, 300, 1 / 30, 4
NAMES = tuple(f"row {k // SIDE}, column {k % SIDE}" for k in range(SIDE**2))
NETWORK = FlexiblePredictor(hidden=4, steps=6, n_folds=2)
SMOOTH = AutomaticSmoothness()
METHODS = (
    SMOOTH,
    InformativeDimensions(bins=5, bins_of_two=3, steps=2),
    QuadraticModel(steps=3),
    PooledFilters(),
    SharedFilters(),
    Pipeline((NETWORK,), SMOOTH),
)


def filters() -> np.ndarray:
    """(unit, pixel): one patch in four places."""
    drawn = np.zeros((UNITS, SIDE, SIDE))
    for unit, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        drawn[unit, row : row + 3, column : column + 3] = [[0.0, 1.0, 0.0], [1.0, -1.5, 0.5], [0.0, -0.5, 0.0]]
    return drawn.reshape(UNITS, -1) / 2.2


def frames(trials: int = TRIALS, number: int = FRAMES) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((trials, number, SIDE**2))


def spikes(shown: np.ndarray, seed: int = 1) -> np.ndarray:
    """(trial, frame, unit) counts of cells that look at frames."""
    return np.random.default_rng(seed).poisson(np.exp(-0.5 + np.nan_to_num(shown) @ filters().T))


def seen(shown: np.ndarray, counts: np.ndarray, names: tuple[str, ...] = NAMES, step: float = STEP) -> xr.Dataset:
    """A recording of so many spikes in each frame."""
    trial, frame, unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    when = (frame + np.random.default_rng(2).uniform(0.05, 0.95, len(frame))) * step
    return recording(
        duration=shown.shape[1] * step, n_units=counts.shape[2], n_trials=len(shown), spikes=(trial, when, unit),
        stimulus=shown, time=np.arange(shown.shape[1]) * step, names={"feature": ("feature", np.array(names))},
    )  # fmt: skip


def rated(signal: np.ndarray, modality: str = "rate") -> xr.Dataset:
    shown = frames(len(signal), signal.shape[1])
    return recording(
        duration=signal.shape[1] * STEP, n_units=UNITS, n_trials=len(signal), signal=signal, modality=modality,
        sample_time=(np.arange(signal.shape[1]) + 0.5) * STEP, stimulus=shown, time=np.arange(signal.shape[1]) * STEP,
        names={"feature": ("feature", np.array(NAMES))},
    )  # fmt: skip


def with_(values: np.ndarray, where: object, value: float) -> np.ndarray:
    values = values.copy()
    values[where] = value
    return values


def of(change: Callable[[np.ndarray], np.ndarray]) -> xr.Dataset:
    """The usual cells in front of frames that were changed."""
    shown = change(frames())
    return seen(shown, spikes(shown))


LACKING = {
    "stimulus": lambda: of(np.copy).drop_vars("stimulus"),
    "at least 10 s of recording, got 4": lambda: seen(frames(1, 120), spikes(frames(1, 120))),
    "1 frames in a trial": lambda: seen(frames(12, 1), spikes(frames(12, 1)), step=1.0),
    "60 frames": lambda: seen(frames(2, 30), spikes(frames(2, 30)), step=0.2),
    "frames are the same": lambda: of(lambda x: np.ones_like(x)),
    "0 frames": lambda: of(lambda x: with_(x, np.s_[:, :, 3], np.nan)),
    "this recording holds fluorescence": lambda: rated(spikes(frames()).astype(float), "fluorescence"),
}
ODD = {
    "a silent unit": (lambda: seen(frames(), with_(spikes(frames()), np.s_[:, :, 1], 0)), [1]),
    "a unit with a spike in every frame": (lambda: seen(frames(), with_(spikes(frames()), np.s_[:, :, 2], 1)), [2]),
    "all silent": (lambda: seen(frames(), 0 * spikes(frames())), [0, 1, 2, 3]),
    "one spike of a unit": (
        lambda: seen(frames(), with_(with_(spikes(frames()), np.s_[:, :, 1], 0), (0, 9, 1), 1)),
        [],
    ),
    "untuned units": (lambda: seen(frames(), np.random.default_rng(3).poisson(0.6, (2, FRAMES, UNITS))), []),
    "a single unit": (lambda: seen(frames(), spikes(frames())[:, :, :1]), []),
    "doubled units": (lambda: seen(frames(), spikes(frames())[:, :, [0, 0, 1, 1]]), []),
    "frames without a pixel now and then": (lambda: of(lambda x: with_(x, np.s_[:, ::7, 3], np.nan)), []),
    "a pixel that never changes": (lambda: of(lambda x: with_(x, np.s_[:, :, 5], 0.0)), []),
    "two frames that take turns": (lambda: of(lambda x: x[:, np.arange(FRAMES) % 2]), []),
    "the same film in every trial": (lambda: of(lambda x: x[[0, 0]]), []),
    "frames of huge contrast": (
        lambda: seen(1e9 * frames(), spikes(frames())),
        [],
    ),
    "names without numbers": (
        lambda: seen(frames(), spikes(frames()), tuple(f"band {'x' * (k + 1)}" for k in range(SIDE**2))),
        [],
    ),
    "rates with a gap": (lambda: rated(with_(spikes(frames()).astype(float), np.s_[1, 30:60, 2], np.nan)), []),
    "rates that are constant": (lambda: rated(np.full((2, FRAMES, UNITS), 3.0)), [0, 1, 2, 3]),
}
"""The recording, and the units that must not be given a filter."""

FEWER = ("a silent unit", "one spike of a unit", "a single unit", "a pixel that never changes", "rates with a gap")
"""What the slower methods meet: the time is for more of them."""


@pytest.fixture(scope="module")
def lacking() -> dict[str, xr.Dataset]:
    return {reason: world() for reason, world in LACKING.items()}


@pytest.fixture(scope="module")
def odd() -> dict[str, tuple[xr.Dataset, list[int]]]:
    return {what: (world(), silent) for what, (world, silent) in ODD.items()}


def answered(method: object, world: xr.Dataset) -> Finding:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return simlab.analyse(method, world)


def name(method: object) -> str:
    return f"{method.name} of {method.method.name}" if isinstance(method, Pipeline) else method.name


@pytest.mark.parametrize("method", METHODS, ids=name)
def test_what_is_lacking_is_the_reason_whatever_the_method(method, lacking):
    told = {reason: answered(method, world).abstained for reason, world in lacking.items()}
    assert {reason: said for reason, said in told.items() if reason not in str(said)} == {}


@pytest.mark.parametrize("method", METHODS, ids=name)
def test_an_odd_recording_is_answered_in_form_and_the_silent_have_no_filter(method, odd):
    answers, slow = 0, method.name not in ("automatic_smoothness", "shared_filters")
    met = {what: odd[what] for what in (FEWER if slow else odd)}
    for what, (world, silent) in met.items():
        finding = answered(method, world)
        if finding.abstained:
            assert len(finding.abstained) > 20, what
            continue
        answers += 1
        for value in finding.estimate.values():
            assert np.isfinite(np.asarray(value, dtype=float)).all(), what
        if "filter" in finding.estimate:
            assert not np.asarray(finding.estimate["filter"])[silent].any(), what
            assert np.asarray(finding.estimate["filter"]).shape == (world.sizes["unit"], SIDE**2)
        else:
            assert len({int(finding.estimate["group"][unit]) for unit in silent}) <= 1, what
    assert answers >= (9 if method.question == "assemblies" else len(met))


def test_kinds_need_pictures_and_three_filters_and_say_so(odd):
    kinds = SharedFilters()
    assert "row and column" in answered(kinds, odd["names without numbers"][0]).abstained
    for what in ("all silent", "a single unit", "untuned units"):
        assert "units have a filter: too few to compare" in answered(kinds, odd[what][0]).abstained
    group = answered(kinds, of(np.copy)).estimate["group"]
    assert len(np.unique(group)) == 1  # four cells of one kind


def test_a_unit_keeps_its_filter_where_no_kinds_are_found(odd):
    for what in ("names without numbers", "a single unit", "untuned units"):
        own, shared = (answered(method, odd[what][0]).estimate["filter"] for method in (SMOOTH, PooledFilters()))
        assert np.asarray(shared) == pytest.approx(np.asarray(own))


@pytest.mark.parametrize("contrast", [0.1, 10.0])
def test_filters_are_found_at_any_contrast_and_in_any_order_of_units(contrast):
    shown, counts = frames(4), spikes(frames(4))
    told = answered(SMOOTH, seen(contrast * shown, counts)).estimate["filter"]
    again = answered(SMOOTH, seen(contrast * shown, counts[:, :, ::-1])).estimate["filter"]
    assert np.asarray(again) == pytest.approx(np.asarray(told)[::-1])
    cosine = (told * filters()).sum(axis=1) / np.linalg.norm(told, axis=1) / np.linalg.norm(filters(), axis=1)
    assert cosine.min() > 0.85


def test_filters_as_rough_as_noise_are_given_no_smooth_prior_and_smooth_ones_are():
    rng, place = np.random.default_rng(4), np.arange(20.0)[:, None]
    x = rng.standard_normal((4000, 20))
    true = np.stack([(-1.0) ** np.arange(20), np.exp(-((np.arange(20) - 10) ** 2) / 18)])
    best = most_probable(Looked(x, x @ true.T + rng.standard_normal((4000, 2))), place)
    assert best.width[0] == WIDTHS[0]
    assert best.width[1] >= 1.5
    assert best.filters == pytest.approx(true, abs=0.08)


def test_predictions_that_are_right_are_beyond_chance_by_the_root_of_the_frames():
    rng = np.random.default_rng(5)
    counts = rng.poisson(1.0, (400, 3)).astype(float)
    found = Looked(np.zeros((400, 1)), counts)
    said = np.stack([counts[:, 0], -counts[:, 1], np.ones(400)], axis=1)
    assert foretold(found, said, 19.99).tolist() == [True, False, False]  # sqrt(400) = 20
    assert foretold(found, said, 20.01).tolist() == [False, False, False]


def test_folds_are_neighbours_of_about_one_size_and_shifts_are_never_short():
    fold = folds(103, 4)
    assert (np.diff(fold) >= 0).all()
    assert np.ptp(np.bincount(fold)) <= 1
    by = shifts(500, 200, np.random.default_rng(6))
    assert (by.min(), by.max()) == (10, 190)


def test_the_average_frame_of_a_unit_is_that_of_its_spikes():
    counts = np.array([[1, 0], [2, 0], [0, 0]])
    shown = np.array([[3.0, 0.0], [0.0, 6.0], [9.0, 9.0]])
    assert triggered(Looked(shown, counts)) == pytest.approx(np.array([[1.0, 4.0], [0.0, 0.0]]))
    world = of(np.copy)
    assert interval(world) == pytest.approx(STEP)
    assert looked(world).frames.mean(axis=0) == pytest.approx(np.zeros(SIDE**2), abs=1e-12)
    assert looked(world).counts == pytest.approx(spikes(frames()).reshape(-1, UNITS))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (["x1 y2", "x3 y4"], [[1, 2], [3, 4]]),
        (["7", "5"], [[7], [5]]),
        (["x1", "x1 y2"], [[0], [1]]),
        (["red", "green"], [[0], [1]]),
    ],
)
def test_features_without_as_many_numbers_each_stand_in_a_line(told, expected):
    assert places(xr.Dataset(coords={"feature": told})).tolist() == expected


def test_a_quadratic_cell_fires_its_mean_without_a_drive_and_by_its_sign_with_one():
    flat, shown = np.zeros(1 + 2 + 6), np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    flat[3], flat[7] = 1.0, 1.0  # first filter along the first feature, second along the second
    cell = Quadratic.of(flat, np.array([1.0, -1.0]), 0.5)
    assert cell.drive(shown)[0] == pytest.approx([0.0, 4.0, -4.0])
    assert cell.expected(shown) == pytest.approx(0.5 * np.log1p(np.exp([0.0, 4.0, -4.0])) / np.log(2))


def test_a_histogram_is_the_rate_of_a_cell_that_follows_it_and_beats_one_that_does_not():
    rng = np.random.default_rng(7)
    shown = rng.standard_normal((6000, 3))
    count = rng.poisson(np.where(shown[:, 0] > 0, 2.0, 0.2)).astype(float)
    right, wrong = (histogram(np.eye(3)[k : k + 1], shown, count, 7) for k in (0, 1))
    assert right.expected(shown).mean() == pytest.approx(count.mean(), rel=0.02)
    assert right.expected(np.array([[2.0, 0, 0], [-2.0, 0, 0]])) == pytest.approx([2.0, 0.2], abs=0.15)
    assert wrong.ratio[2:5] == pytest.approx(np.ones(3), abs=0.15)
    assert likelihood(right, shown, count) > likelihood(wrong, shown, count) + 100
    assert corners(np.array([[-9.0], [0.0], [9.0]]), 7).cell[0].tolist() == [0, 3, 5]  # beyond: the last bins


def test_pictures_are_of_length_one_in_their_place_and_nothing_stays_nothing():
    place = np.array([[4, 7], [4, 8], [5, 7], [5, 8]])
    drawn = pictures(np.array([[3.0, 0.0, 0.0, 4.0], [0.0, 0.0, 0.0, 0.0]]), place)
    assert drawn[0] == pytest.approx(np.array([[0.6, 0.0], [0.0, 0.8]]))
    assert not drawn[1].any()
    assert _alike(drawn, drawn)[1, 0] == pytest.approx(0)


def test_pooling_what_is_the_same_changes_nothing_and_weights_count():
    same = pictures(filters(), np.array([[k // SIDE, k % SIDE] for k in range(SIDE**2)]))
    assert pooled(same, np.ones(UNITS)) == pytest.approx(same)
    rng = np.random.default_rng(8)
    noisy = same + 0.1 * rng.standard_normal(same.shape)
    heavy = pooled(noisy, np.array([1e9, 1.0, 1.0, 1.0]))
    assert heavy[0] == pytest.approx(noisy[0], abs=1e-6)
