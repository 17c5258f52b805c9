"""Whatever the two stimuli were shown to, methods for information answer in form or say what is missing."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import simlab
from methods.coding._discrimination import Seen, seen
from methods.coding.corrected_information import CorrectedInformation
from methods.coding.decoded_information import DecodedInformation
from methods.coding.differential_noise import DifferentialNoise, excess
from methods.coding.information_scaling import InformationScaling
from methods.coding.naive_information import NaiveInformation
from methods.coding.shuffled_information import ShuffledInformation
from simlab.contracts import Needs
from simlab.data import recording
from simlab.questions.information import Information

TRIALS, UNITS, STEP = 80, 6, 0.5
DIRECTION = DifferentialNoise(n_signs=40)
ESTIMATES = (
    NaiveInformation(), CorrectedInformation(), ShuffledInformation(), InformationScaling(n_splits=2),
    *(DecodedInformation(by) for by in ("logistic", "ridge", "bayes")),
)  # fmt: skip
ALL = (*ESTIMATES, DIRECTION)
TRUTH = xr.Dataset({"information": 4.0, "step": STEP, "saturates": False})
FORM = {"information", "low", "high", "saturates", "label"}

each = pytest.mark.parametrize("method", ALL, ids=lambda method: getattr(method, "by", method.name))


def sides(trials: int = TRIALS) -> np.ndarray:
    return np.arange(trials) % 2


def levels(trials: int = TRIALS, units: int = UNITS, tuned: float = 1.0) -> np.ndarray:
    """(trial, unit) activity about 10, with half a d' between the stimuli for each unit."""
    rng = np.random.default_rng([trials, units])
    return 10 + rng.standard_normal((trials, units)) + 0.5 * tuned * sides(trials)[:, None]


def world(level: np.ndarray | None = None, shown: np.ndarray | None = None, **more: object) -> xr.Dataset:
    """Signals of two samples, each at its trial's level (trial, unit); stimuli a step apart, or (trial,) or finer."""
    level = levels() if level is None else level
    trials, units = level.shape
    shown = STEP * sides(trials) if shown is None else shown
    given = {
        "duration": 1.0, "modality": "rate", "signal_units": "Hz", "sample_time": np.array([0.25, 0.75]),
        "signal": np.repeat(level[:, None], 2, axis=1), "time": np.array([0.0, 0.5]),
        "stimulus": np.broadcast_to(shown.reshape(trials, -1), (trials, 2))[:, :, None],
    }  # fmt: skip
    told = recording(n_units=units, n_trials=trials, **(given | more)).assign_coords(feature=["orientation"])
    brief = {"feature": "orientation", "candidates": (DIRECTION.along, DIRECTION.across)}
    return told.assign_attrs(brief=brief)


def changed(where: object, value: float) -> np.ndarray:
    level = levels()
    level[where] = value
    return level


def directly(method, told):
    return method.analyse(told, np.random.default_rng(1))


def finding(method, told, analyse=directly):
    """What a method says, without a warning; where it matters, as the lab has it: checked against its form."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        return analyse(method, told)


ANSWERED = {
    "as it is": world,
    "untuned units": lambda: world(levels(tuned=0.0)),
    "a silent unit": lambda: world(changed(np.s_[:, 2], 0.0)),
    "a unit that never varies": lambda: world(changed(np.s_[:, 2], 0.1)),
    "a unit with a gap": lambda: world(changed(np.s_[7, 2], np.nan)),
    "a unit that fires three times": lambda: world(np.column_stack([levels(), np.arange(TRIALS) % 27 == 5])),
    "huge values": lambda: world(1e9 * levels()),
    "tiny values": lambda: world(1e-9 * levels()),
    "negative values": lambda: world(-levels()),
    "one stimulus in a tenth of the trials": lambda: world(shown=STEP * (np.arange(TRIALS) % 10 == 0)),
}
ABSTAINED = {
    "no stimulus": (lambda: world().drop_vars("stimulus"), "needs the stimulus"),
    "one stimulus": (lambda: world(shown=np.zeros(TRIALS)), "needs two stimuli.* got 1"),
    "three stimuli": (lambda: world(shown=np.arange(TRIALS) % 3 * STEP), "needs two stimuli.* got 3"),
    "a trial without a stimulus": (lambda: world(shown=np.where(np.arange(TRIALS) == 3, np.nan, sides())), "stimuli"),
    "one that changes within trials": (
        lambda: world(shown=np.stack([np.zeros(TRIALS), sides()], axis=1)), "each shown throughout its trials",
    ),
    "one trial of one stimulus": (lambda: world(shown=STEP * (np.arange(TRIALS) == 3)), "three trials .* got 1 and 79"),
    "five trials": (lambda: world(levels(5)), "at least [0-9]+ trials, got 5"),
    "silence": (lambda: world(np.zeros((TRIALS, UNITS))), "varies"),
    "a constant rate": (lambda: world(np.full((TRIALS, UNITS), 0.1)), "varies"),
    "the stimulus alone": (lambda: world(10.0 + np.repeat(sides()[:, None], UNITS, axis=1)), "varies"),
    "gaps in every unit": (lambda: world(changed(np.s_[3], np.nan)), "gaps"),
    "unequal trials": (lambda: world(duration=np.where(sides(), 1.0, 0.8)), "trials of one length"),
}  # fmt: skip


@pytest.mark.parametrize("what", ANSWERED)
def test_what_can_be_answered_is_answered_in_form(what):
    told = ANSWERED[what]()
    for method in ALL:
        found = finding(method, told, simlab.analyse if what == "as it is" else directly)
        assert not found.abstained, f"{method}: {found.abstained}"
        assert set(found.estimate) <= FORM
        if method is DIRECTION:
            assert found.estimate["label"] in (method.along, method.across)
            assert 0 < found.notes["p"] <= 1
            continue
        scored = Information().score(found, TRUTH)
        assert np.isfinite([scored["within"], scored["relative_error"]]).all(), method
        assert abs(scored["relative_error"]) < 5, method  # of 6 units with d' = .5: d'^2 = 1.5 where 1 is true
        assert found.estimate.get("low", 0.0) <= found.estimate.get("high", 0.0)


@pytest.mark.parametrize("what", ABSTAINED)
def test_what_cannot_be_answered_is_an_abstention_that_names_what_is_missing(what):
    make, reason = ABSTAINED[what]
    told = make()
    reasons = {method: finding(method, told).abstained for method in ALL}
    assert {method: why for method, why in reasons.items() if not re.search(reason, why)} == {}


@pytest.mark.parametrize("method", [DIRECTION, InformationScaling()], ids=lambda method: method.name)
def test_units_that_do_not_vary_do_not_count_among_those_that_are_needed(method):
    level = np.full((TRIALS, UNITS), 5.0)
    level[:, :2] = levels(units=2)
    assert "needs at least 4 units whose activity varies, got 2" in finding(method, world(level)).abstained


@each
def test_scale_and_offset_of_units_do_not_matter(method):
    level = levels()
    moved = level * np.geomspace(0.01, 100, UNITS) + np.arange(UNITS)
    one, other = (finding(method, world(each)).estimate for each in (level, moved))
    assert set(one) == set(other)
    assert [str(one[name]) for name in one if name in ("label", "saturates")] == [
        str(other[name]) for name in one if name in ("label", "saturates")
    ]
    numbers = [name for name in one if name not in ("label", "saturates")]
    assert [float(one[name]) for name in numbers] == pytest.approx([float(other[name]) for name in numbers], rel=1e-4)


@pytest.mark.parametrize("method", ESTIMATES, ids=lambda method: getattr(method, "by", method.name))
def test_information_is_per_square_of_the_stimulus_unit(method):
    one, other = (finding(method, world(shown=step * sides())).estimate["information"] for step in (0.5, 5.0))
    assert one == pytest.approx(100 * other)


@pytest.mark.parametrize("method", [NaiveInformation(), CorrectedInformation(), ShuffledInformation()])
def test_which_stimulus_is_the_larger_does_not_matter(method):
    one, other = (finding(method, world(shown=sign * sides())).estimate["information"] for sign in (1.0, -1.0))
    assert one == pytest.approx(other)


def test_the_estimates_stand_in_the_relations_that_they_have_in_theory():
    told = world(levels(tuned=1.5))
    naive, corrected = (finding(method, told) for method in (NaiveInformation(), CorrectedInformation()))
    square = naive.estimate["information"] * STEP**2
    assert corrected.estimate["information"] * STEP**2 == pytest.approx(square * (78 - 6 - 1) / 78 - 6 / 20)
    assert naive.notes["units"] == 6
    narrow = finding(CorrectedInformation(level=0.5), told).estimate
    assert corrected.estimate["low"] < narrow["low"] < corrected.estimate["information"]
    assert corrected.estimate["information"] < narrow["high"] < corrected.estimate["high"]
    assert finding(InformationScaling(), told).estimate["information"] == pytest.approx(
        corrected.estimate["information"]
    )


def test_of_one_unit_all_estimates_with_the_bias_removed_are_one():
    told = world(levels(units=1))
    one, other = (
        finding(method, told).estimate["information"] for method in (CorrectedInformation(), ShuffledInformation())
    )
    assert one == pytest.approx(other)


def test_copies_have_the_information_of_one_but_shuffled_count_each_time():
    told, twice = world(levels(units=3)), world(np.repeat(levels(units=3), 2, axis=1))
    for method, times in ((NaiveInformation(), 1), (CorrectedInformation(), 1), (ShuffledInformation(), 2)):
        once, again = (finding(method, each).estimate["information"] for each in (told, twice))
        assert again == pytest.approx(times * once)
    assert (
        "copy others" in finding(InformationScaling(), world(np.repeat(np.round(levels(units=2)), 2, axis=1))).abstained
    )


def test_one_stimulus_in_a_block_of_its_own_leaves_a_fold_without_it():
    told = world(shown=STEP * (np.arange(TRIALS) < 8))
    assert "use fewer folds" in finding(DecodedInformation(), told).abstained
    assert not finding(DecodedInformation(folds="shuffled"), told).abstained


def along_the_code(n_units: int = 8) -> np.ndarray:
    """(trial, unit) all units prefer the larger stimulus, and vary together."""
    rng, larger = np.random.default_rng(0), sides(400)
    return 10 + rng.standard_normal((400, n_units)) + 0.7 * rng.standard_normal((400, 1)) + larger[:, None]


RARE = (np.arange(400)[:, None] == [5, 6, 9, 12, 15, 18]).astype(float)


@pytest.mark.parametrize("scale", [1e-13, 1.0, 1e13])
@pytest.mark.parametrize("beside", [np.empty((400, 0)), RARE], ids=["alone", "beside units that hardly fire"])
def test_noise_that_points_along_the_code_is_seen_in_whatever_unit_it_is_measured(scale, beside):
    method = replace(DIRECTION, n_signs=200)
    level = along_the_code()
    assert finding(method, world(scale * np.column_stack([level, beside]))).estimate["label"] == method.along
    preferring = np.where(np.arange(8) % 2, 1.0, -1.0)
    opposed = level - 2 * sides(400)[:, None] * (preferring < 0)
    assert finding(method, world(scale * np.column_stack([opposed, beside]))).estimate["label"] == method.across


def test_the_sign_of_all_changes_turned_leaves_the_excess_as_it_is():
    rng, larger = np.random.default_rng(0), sides() == 1
    known = Seen(levels(), larger, STEP)
    along, turned = excess(known, np.array([[1.0] * UNITS, [-1.0] * UNITS, [1, 1, 1, -1, -1, -1]]), rng)
    assert turned[0] == pytest.approx(along)
    assert turned[1] != pytest.approx(along)


def test_candidates_other_than_its_own_two_are_an_abstention():
    told = world()
    for candidates in ((), (DIRECTION.along,), ("recurrent sharpening", "feedforward sharpening")):
        other = told.assign_attrs(brief={"candidates": candidates})
        assert "and the candidates are" in finding(DIRECTION, other).abstained


def test_of_several_features_the_one_that_is_asked_about_is_read():
    told = world()
    second = xr.concat([told["stimulus"] * 0 + 7.0, told["stimulus"]], "feature").transpose("trial", "time", "feature")
    both = told.drop_vars(["stimulus", "feature"]).assign(
        stimulus=second.assign_coords(feature=["contrast", "orientation"])
    )
    kept = seen(both, Needs())
    assert isinstance(kept, Seen)
    assert kept.step == STEP
    assert kept.larger.tolist() == (sides() == 1).tolist()
    assert "got 1" in seen(both.assign_attrs(brief={"feature": "contrast"}), Needs()).abstained
