"""Patterns that grow: the formula of the critical wave against the transform of the kernel and what has grown."""

from __future__ import annotations

import numpy as np
import pytest

import simlab
from circuits.trained import grid_pattern_formation as formation
from circuits.trained.grid_pattern_formation import GridPatternFormation, Pattern
from circuits.trained.spatial_maps import grid_scores, periods
from simlab.contracts import SimlabError
from simlab.questions.form import check_truth
from simlab.questions.spatial_pattern import SpatialPattern
from simlab.streams import stream

PARAMETERS = {
    "default": {}, "close": {"centre": 0.09, "surround": 0.18}, "near surround": {"surround": 0.15},
    "strong surround": {"surround_height": 1.5}, "fast": {"growth": 1.0},
}  # fmt: skip


def kernel_peak(circuit: GridPatternFormation) -> float:
    """[1/m]: where the Fourier transform of the kernel, sampled in space, is largest: an independent route to k*."""
    n, dx = 2**14, circuit.centre / 20
    x = (np.arange(n) - n // 2) * dx
    bump = [h * np.exp(-(x**2) / (2 * s**2)) for h, s in (
        (circuit.centre_height, circuit.centre), (circuit.surround_height, circuit.surround))]  # fmt: skip
    if circuit.dimensions == 2:  # a cut through the transform is that of the kernel summed along the other axis
        bump = [b * np.sqrt(2 * np.pi) * s for b, s in zip(bump, (circuit.centre, circuit.surround), strict=True)]
    power = np.fft.rfft(np.fft.ifftshift(bump[0] - bump[1])).real
    return float(2 * np.pi * np.fft.rfftfreq(n, dx)[power.argmax()])


@pytest.mark.parametrize("dimensions", [1, 2])
@pytest.mark.parametrize("name", PARAMETERS)
def test_the_formula_gives_the_peak_of_the_kernels_transform_and_the_period_that_grows(name, dimensions):
    given = PARAMETERS[name]
    circuit = GridPatternFormation(dimensions=dimensions, **given)
    assert circuit.critical == pytest.approx(kernel_peak(circuit), rel=0.01)
    waves = np.linspace(0.2, 3, 2000) * circuit.critical
    assert waves[circuit.transform(waves).argmax()] == pytest.approx(circuit.critical, rel=2e-3)
    if name in ("close", "strong surround") or dimensions == 1:
        assert Pattern(circuit, 1).wave_number == pytest.approx(circuit.critical, rel=0.06)


def test_the_same_noise_grows_into_the_same_pattern_and_another_into_another():
    circuit = GridPatternFormation(dimensions=1)
    one, same, other = (Pattern(circuit, seed).grown for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


def test_one_dimension_has_the_formula_of_the_paper():
    circuit = GridPatternFormation(dimensions=1)
    (e, i), (a, b) = (0.12, 0.24), (1.0, 1.0)
    assert circuit.critical == pytest.approx(np.sqrt(2 / (e**2 - i**2) * np.log(a * e**3 / (b * i**3))))


@pytest.fixture(scope="module")
def pattern():
    return Pattern(GridPatternFormation(), 2)


@pytest.fixture(scope="module")
def grown():
    return GridPatternFormation(n_neurons=12).subject(stream(3, "subject"))


def test_the_state_is_nonnegative_bounded_and_stays_where_it_is(pattern):
    circuit, state = pattern.circuit, pattern.grown
    kernel = circuit.transform(pattern.wave_numbers)
    kernel *= (1 + circuit.growth) / circuit.transform(np.array(circuit.critical))
    assert state.min() >= 0
    assert state.max() < 1  # the uniform drive alone gives 1
    assert (state < 1e-3 * state.max()).mean() > 0.2  # the rectification acts: this is no linear wave
    moved = np.maximum(np.fft.ifftn(kernel * np.fft.fftn(state)).real + 1, 0) - state
    assert np.abs(moved).max() < 0.05 * state.max()


def test_linear_theory_holds_while_the_pattern_is_weak():
    circuit = GridPatternFormation(dimensions=1)
    with pytest.MonkeyPatch.context() as patch:
        sizes = []
        for grown_for in (4.0, 8.0):
            patch.setattr(formation, "GROWN", grown_for)
            patch.setattr(formation, "SEED_NOISE", 1e-7)
            patch.setattr(formation, "LEAST_PATTERN", 0.0)
            state = Pattern(circuit, 3).grown
            power = np.abs(np.fft.fft(state))
            sizes.append(power[np.abs(Pattern(circuit, 3).wave_numbers - circuit.critical).argmin()])
    assert np.log(sizes[1] / sizes[0]) / 4.0 == pytest.approx(circuit.growth, rel=0.05)


def test_its_cells_are_grid_cells_of_the_period_of_the_theory(grown):
    told = grown.truth("spatial_pattern", None, stream(0, "truth"))
    check_truth(told, SpatialPattern())
    assert told["grid"].values.mean() > 0.7
    period = told["period"].values[told["grid"].values]
    assert np.allclose(period, GridPatternFormation().period, rtol=0.06)
    n, box = 40, 2.2
    place = (np.indices((n, n)).reshape(2, -1).T + 0.5) / n * box
    maps = grown.tuned(place).T.reshape(-1, n, n)
    assert maps.max() <= 10 + 1e-9
    assert np.median(periods(maps[told["grid"].values], box)) == pytest.approx(
        period[0], rel=0.08
    )  # of autocorrelograms
    assert set(grown.truth("tuning", None, stream(0, "truth"))["variable"].values) == {"position"}


def test_on_a_line_they_are_bands_and_no_grid():
    subject = GridPatternFormation(n_neurons=5, dimensions=1).subject(stream(4, "subject"))
    told = subject.truth("spatial_pattern", None, stream(0, "truth"))
    assert not told["grid"].values.any()
    assert not told["doubtful"].values.any()
    rates = subject.tuned(np.array([[0.5, 0.1], [0.5, 1.9], [0.9, 0.1]]))
    assert np.allclose(rates[0], rates[1])
    assert not np.allclose(rates[0], rates[2])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"surround": 0.1}, "surround must be > centre"), ({"centre_height": 2.0}, "activity has no bound"),
        ({"dimensions": 3}, "dimensions"), ({"growth": 0.0}, "growth"),
    ],
)  # fmt: skip
def test_what_makes_no_pattern_is_refused(wrong, says):
    with pytest.raises(SimlabError, match=says):
        GridPatternFormation(**wrong)


def test_it_keeps_the_contract_of_circuits():
    assert simlab.check(GridPatternFormation(n_neurons=6, dimensions=1)).ok


def test_grid_scores_of_the_pattern_are_those_of_a_lattice(grown):
    place = (np.indices((40, 40)).reshape(2, -1).T + 0.5) / 40 * 2.2
    assert np.median(grid_scores(grown.tuned(place).T.reshape(-1, 40, 40))) > 0.8
