"""Who fires with whom awake and asleep, planted."""

from __future__ import annotations

import numpy as np
import planted_shapes as planted
import pytest

from circuits.space.trajectory import Walk, positions
from methods.population.coactivity_across_states import CoactivityAcrossStates, pair_structure
from simlab.data import missing

METHOD = CoactivityAcrossStates(n_permutations=200)
BRIEF = {"candidates": ("common rhythm", "feedforward", "torus attractor")}


def rng(seed=0):
    return np.random.default_rng(seed)


def world(moves_asleep=False, gain=0.0, tuned=True, brief=BRIEF):
    """Five minutes, half of them asleep; a gain that all units share may go on in both."""
    session = planted.foraging(asleep=0.5)
    place = session.stimulus.values.copy()
    if moves_asleep:
        place[5:] = positions(Walk(), 5, place.shape[1], rng(5))
    rates = (
        planted.grid_rates(place, 25, rng(1))
        if tuned
        else np.full((*place.shape[:2], 25), 2.0) * rng(6).gamma(2, 1, 25)
    )
    slow = np.repeat(rng(7).normal(size=(len(rates), rates.shape[1] // 100)), 100, axis=1)
    return planted.recorded(rates * np.exp(gain * slow[..., None]), rng(2), session, brief)


def test_pairs_that_go_together_in_both_states_are_taken_for_an_attractor():
    finding = METHOD.analyse(world(moves_asleep=True), rng())
    assert finding.estimate["label"] == "torus attractor"
    assert finding.notes["states"] > 0.8
    assert finding.confidence > 0.9


def test_pairs_that_part_in_sleep_are_not_even_if_a_gain_is_shared_there():
    for recording in (world(), world(gain=0.4)):
        finding = METHOD.analyse(recording, rng())
        assert finding.estimate["label"] == "feedforward"
        assert abs(finding.notes["states"]) < 0.3


def test_it_abstains_where_nothing_could_be_found_again():
    assert "halves" in METHOD.analyse(world(tuned=False), rng()).abstained
    awake = world().isel(trial=slice(0, 10)).assign(condition=("trial", np.zeros(10, dtype=np.int32)))
    assert "two conditions" in METHOD.analyse(awake, rng()).abstained
    assert "conditions" in missing(world().drop_vars("condition"), METHOD.needs)
    assert (
        "ring attractor"
        in METHOD.analyse(world(brief={"candidates": ("ring attractor", "feedforward")}), rng()).abstained
    )


def test_what_is_each_units_own_is_taken_from_its_pairs():
    own = np.array([0.1, 0.2, 0.05, 0.15, 0.0, 0.1])
    shared = rng(3).normal(size=(1, 200_000, 1)) * np.sqrt(own / (1 - own))
    left = pair_structure(shared + rng(4).normal(size=(1, 200_000, 6)))
    assert left.sum() == pytest.approx(0.0, abs=1e-9)
    assert np.abs(left.sum(axis=0)).max() < 1e-9
    # correlations of .05 to .14 are own_i own_j, and not quite sums: what is left is a tenth of them
    assert np.abs(left).max() < 0.04
