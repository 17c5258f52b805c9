"""Target codes: worked out from their equations by hand, and decoded to where they are from."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.trained.targets import FIELDS, Target, drawn

BOX = 2.2
CODES = ("cartesian", "polar", *FIELDS)


def target(code: str, n: int = 64, **more) -> Target:
    given = {"width": 0.12, "ratio": 2.0, "scales": 1.0, "ratios": 0.0, "more_fields": 0.0} | more
    return drawn(code, BOX, n, rng=np.random.default_rng(5), **given)


def places(n: int = 50) -> np.ndarray:
    return np.random.default_rng(1).uniform(0.1, BOX - 0.1, (n, 2))


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_decoded_to_the_place_that_it_is_of(code):
    made = target(code, 256)
    output = made.at(places())
    told = np.log(output + 1e-9) if made.crossed else output
    error = np.linalg.norm(made.decoded(told) - places(), axis=1)
    assert np.median(error) < 0.03
    assert made.decoded(told.reshape(5, 10, -1)).shape == (5, 10, 2)


def test_the_difference_of_softmaxes_is_what_its_equation_says():
    made, place = target("difference_of_softmaxes"), places(7)
    square = np.square(place[:, None] - made.centres[:, 0]).sum(axis=-1)
    inner, outer = (np.exp(-square / (2 * s**2)) for s in (0.12, 0.24))
    raised = inner / inner.sum(axis=1, keepdims=True) - outer / outer.sum(axis=1, keepdims=True)
    raised -= raised.min(axis=1, keepdims=True)
    assert np.allclose(made.at(place), raised / raised.sum(axis=1, keepdims=True), atol=1e-6)
    assert np.allclose(target("gaussian").at(place), inner / inner.sum(axis=1, keepdims=True), atol=1e-6)


def test_the_difference_of_gaussians_is_hollow_and_shares_sum_to_one():
    made = target("difference_of_gaussians")
    at_centres = made.at(made.centres[:, 0])
    assert (at_centres.argmin(axis=1) != np.arange(64)).all()
    assert np.allclose(at_centres.sum(axis=1), 1, atol=1e-5)
    middle, ring = made.at(made.centres[:1, 0])[0, 0], made.at(made.centres[:1, 0] + [0.2, 0.0])[0, 0]
    assert ring < middle


def test_more_fields_and_scales_lie_where_they_should():
    made = target("difference_of_softmaxes", 400, scales=2.0, ratios=0.5, more_fields=2.0)
    there = np.isfinite(made.centres[..., 0])
    assert there.sum(axis=1).min() == 1
    assert there.sum(axis=1).mean() == pytest.approx(3.0, abs=0.3)
    assert (made.widths.min(), made.widths.max()) == (pytest.approx(0.06, abs=0.01), pytest.approx(0.24, abs=0.01))
    assert (made.ratios.min(), made.ratios.max()) == (pytest.approx(1.5, abs=0.02), pytest.approx(2.5, abs=0.02))
    own = made.at(made.centres[:, 0])
    assert np.isfinite(own).all()
    assert (own >= 0).all()


def test_a_place_has_two_outputs_or_as_many_as_cells():
    assert [target(code).n_outputs for code in CODES] == [2, 64, 64, 64, 64]
    assert [target(code).crossed for code in CODES] == [False, False, True, True, True]
    assert np.allclose(target("cartesian").at(np.array([[1.1, 0.1]])), [[0.0, -1.0]])


def test_what_a_network_is_told_has_no_mean_and_a_spread_of_one():
    for code in CODES:
        cue = target(code, 128).cue(np.random.default_rng(0).uniform(0, BOX, (4000, 2)))
        assert (cue.mean(), cue.std()) == (pytest.approx(0, abs=0.03), pytest.approx(1, abs=0.05))


def test_shapes_are_kept_and_a_cell_with_two_fields_follows_the_nearer_one():
    made = target("gaussian", 40, more_fields=1.0)
    assert made.at(places(12).reshape(3, 4, 2)).shape == (3, 4, 40)
    assert np.allclose(made.at(places(12).reshape(3, 4, 2)).reshape(12, 40), made.at(places(12)))
    two = np.flatnonzero(np.isfinite(made.centres[:, 1, 0]))[0]
    alone = made.at(made.centres[two, :1] * 0.5 + made.centres[two, 1:2] * 0.5)
    at_either = made.at(made.centres[two, :2])[:, two]
    assert (at_either > alone[0, two]).all()
