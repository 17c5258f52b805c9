"""Claims on tuning, drift and assemblies, checked on made-up results of which the answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from circuits.coding.coded_target import CodedTarget
from circuits.coding.walking_rates import WalkingRates
from experiments import assemblies_or_not as groups
from experiments import drifting_code as drift
from experiments import where_is_it_tuned as where
from methods.assemblies.connectome_communities import ConnectomeCommunities
from simlab.claims import ClaimResult
from simlab.fingerprint import label

N = 20
WORLDS = {"walking beside": WalkingRates(like=CodedTarget()), "following": CodedTarget()}


def first(share: float) -> np.ndarray:
    return (np.arange(N) < share * N).astype(float)


def rows(method: object, circuit: object, /, **more: object) -> pd.DataFrame:
    """One cell of each of twenty subjects, recorded perfectly."""
    fixed = {
        "role": "circuit", "circuit": circuit.name, "circuit_label": label(circuit), "method": method.name,
        "method_label": label(method), "trials": 1, "duration": 1200.0, "status": "ok", "instrument": "perfect",
        "instrument_label": "perfect", "kind": "passive", "question": method.question, "recovered": np.nan,
        "false_recovery": np.nan, "subject": np.arange(N),
    }  # fmt: skip
    return pd.DataFrame(fixed | more)


def checked(experiment: object, name: str, table: pd.DataFrame, *answer: object) -> ClaimResult:
    return next(claim for claim in experiment.claims if claim.name == name).check(table, *answer)


TUNED = {
    "selected_models_name_the_variable": (where.SELECTED, where.CELLS, "recall", 0.95, 0.5),
    "shifted_spikes_hold_their_level_on_steady_cells": (where.SHIFTED, where.STEADY, "called", 0.05, 0.3),
    "permuted_moments_hold_it_too": (where.PERMUTED, where.STEADY, "called", 0.05, 0.3),
    "wandering_cells_have_places_by_permutation": (where.PERMUTED, where.QUICK, "called", 0.95, 0.5),
    "the_corrected_information_is_fooled_as_well": (where.CORRECTED, where.QUICK, "called", 0.95, 0.5),
    "shifted_spikes_hold_their_level_on_quick_wanderers": (where.SHIFTED, where.QUICK, "called", 0.05, 0.3),
    "shifted_spikes_err_on_slow_ones": (where.SHIFTED, where.SLOW, "called", 0.3, 0.03),
    "cross_validation_does_not_notice_a_slow_drift": (where.SELECTED, where.SLOW, "called", 0.3, 0.0),
    "shifted_spikes_err_where_the_place_is_slow_as_well": (where.SHIFTED, where.LAGGING, "called", 0.3, 0.06),
    "rayleigh_finds_directions_in_place_cells": (where.RAYLEIGH, where.PLACES, "called", 0.5, 0.1),
    "place_fields_pass_for_grids": (where.GRID, where.PLACES, "called", 0.3, 0.05),
}
"""Claim -> method, circuit and metric that it is measured on, a value at which it holds, and one at which it fails."""


@pytest.mark.parametrize("name", TUNED)
def test_each_share_of_tuned_cells_is_read_where_the_claim_says(name):
    method, circuit, column, good, bad = TUNED[name]
    true = rows(method, circuit, **{column: good + 0.02 * (first(0.5) - 0.5)})
    false = true.assign(**{column: true[column] - good + bad})
    elsewhere = [
        false.assign(duration=300.0), false.assign(instrument="subsample"), false.assign(method_label="another"),
        false.assign(circuit_label="another"), false.assign(status="abstained", subject=100 + np.arange(N)),
    ]  # fmt: skip
    found = checked(where.WHERE_IS_IT_TUNED, name, pd.concat([true, *elsewhere]))
    assert (found.verdict, found.measured.value) == ("holds", pytest.approx(good))
    assert checked(where.WHERE_IS_IT_TUNED, name, false).verdict == "fails"
    assert checked(where.WHERE_IS_IT_TUNED, name, true.assign(duration=300.0)).verdict == "not measured"


def test_more_minutes_are_compared_with_fewer_of_the_same_test():
    long, short = (rows(where.PERMUTED, where.QUICK, called=c, duration=d) for c, d in ((0.9, 1200.0), (0.6, 300.0)))
    name = "more_minutes_do_not_help_it"
    found = checked(where.WHERE_IS_IT_TUNED, name, pd.concat([long, short]))
    assert (found.verdict, found.measured.value) == ("holds", pytest.approx(0.3))
    helped = pd.concat([long.assign(called=0.4), short])
    assert checked(where.WHERE_IS_IT_TUNED, name, helped).verdict == "fails"
    assert checked(where.WHERE_IS_IT_TUNED, name, long).verdict == "not measured"


def test_the_oracle_is_not_asked_about_cells_that_follow_nothing():
    at = {"method": "baseline:oracle", "kind": "baseline"}
    right = rows(where.SHIFTED, where.CELLS, recovered=1.0, **at)
    undefined = rows(where.SHIFTED, where.STEADY, recovered=0.0, **at)
    assert checked(where.WHERE_IS_IT_TUNED, "oracle_recovers", pd.concat([right, undefined])).verdict == "holds"
    assert checked(where.WHERE_IS_IT_TUNED, "oracle_recovers", undefined).verdict == "not measured"


LOST = label(drift.LOSING)
VERDICTS = {
    "vectors_tell_a_code_that_drifts": (drift.VECTORS, drift.CODE, "perfect", "recovered", 1),
    "vectors_take_gains_for_it": (drift.VECTORS, drift.GAINS, "perfect", "false_recovery", 1),
    "vectors_take_the_loss_of_units_for_it": (drift.VECTORS, drift.STEADY, LOST, "false_recovery", 1),
    "maps_of_single_cells_tell_a_code_that_drifts": (drift.MAPS, drift.CODE, "perfect", "recovered", 1),
    "and_are_not_fooled_by_gains": (drift.MAPS, drift.GAINS, "perfect", "false_recovery", 0),
    "nor_by_the_loss_of_units": (drift.MAPS, drift.STEADY, LOST, "false_recovery", 0),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_verdicts_on_drift_are_counted_for_each_measure_circuit_and_instrument(name):
    method, circuit, instrument, column, right = VERDICTS[name]
    role = "rival" if column == "false_recovery" else "circuit"
    at = {"trials": 8, "duration": 300.0, "instrument_label": instrument, "role": role}
    more = [rows(method, circuit, **at | {column: float(right), "subject": k * N + np.arange(N)}) for k in range(10)]
    others = {label(m): m for m in (drift.VECTORS, drift.MAPS)}
    del others[label(method)]
    beside = [
        rows(other, circuit, **at | {column: 1.0 - right}) for other in others.values()
    ] + [rows(method, circuit, **at | {column: 1.0 - right, "instrument_label": "another"})]  # fmt: skip
    found = checked(drift.DRIFTING_CODE, name, pd.concat([*more, *beside]))
    assert (found.verdict, found.measured.value) == ("holds", right)
    half = pd.concat([cells.assign(**{column: first(0.5)}) for cells in more])
    assert checked(drift.DRIFTING_CODE, name, half).verdict == "fails"


@pytest.mark.parametrize(
    ("name", "method", "world", "column", "good", "bad"),
    [
        ("permuted_sessions_hold_their_level", "session_permutation", "walking beside", "called", 0.05, 0.3),
        ("where_permuted_trials_do_not", "permuted_trials", "walking beside", "called", 0.8, 0.3),
        ("and_find_what_is_there", "session_permutation", "following", "recall", 0.95, 0.5),
    ],
)
def test_sessions_of_behaviour_are_read_beside_the_target_and_not_beside_values(name, method, world, column, good, bad):
    made = next(m for m in drift.TARGET.methods if m.name == method)
    there = rows(made, WORLDS[world], trials=drift.SESSIONS.trials, duration=1.0, **{column: good})
    values = rows(made, WalkingRates(), trials=drift.SESSIONS.trials, duration=1.0, **{column: bad})
    assert checked(drift.DRIFTING_CODE, name, pd.concat([there, values])).verdict == "holds"
    assert checked(drift.DRIFTING_CODE, name, there.assign(**{column: bad})).verdict == "fails"
    assert checked(drift.DRIFTING_CODE, name, values).verdict == "not measured"


def test_tuned_on_every_day_is_of_sessions_of_one_day():
    seen = rows(drift.SINGLE.methods[0], drift.CODE, recall=0.97, duration=300.0)
    week = seen.assign(trials=8, recall=0.1)
    found = checked(drift.DRIFTING_CODE, "every_day_finds_the_cells_tuned", pd.concat([seen, week]))
    assert found.measured.value == pytest.approx(0.97)


TRUE = np.r_[np.repeat(np.arange(4), 5), 4 + np.arange(6)]
"""Four clusters of five, and six units of nobody."""
TOLD = xr.Dataset({"group": ("unit", TRUE)})


def divided(method: object, plan: object = groups.FIVE, instrument: str = "subsample") -> pd.DataFrame:
    name = f"{label(method)} {plan.trials}"
    table = rows(method, groups.WATCHED.circuits[0], trials=plan.trials, instrument=instrument)
    return table.assign(cell=[f"{name} {k}" for k in range(N)])


def answers(wrong: dict[str, int]):
    """An answer for each cell: the truth, but with so many of the units of clusters thrown together, by its name."""

    def answer(cell: str):
        said, n = TRUE.copy(), wrong.get(cell.rsplit(" ", 1)[0], 0)
        said[:n] = 99
        return {"group": said}, TOLD

    return answer


AGREEMENTS = {
    "the_wiring_diagram_shows_them": (ConnectomeCommunities(), groups.Plan(1, 1.0), "connectome"),
    "activity_shows_them": (groups.PROMAX, groups.FIVE, "subsample"),
}


@pytest.mark.parametrize("name", AGREEMENTS)
def test_agreement_is_that_of_the_answers_over_units_of_clusters(name):
    method, plan, instrument = AGREEMENTS[name]
    table, key = divided(method, plan, instrument), f"{label(method)} {plan.trials}"
    found = checked(groups.ASSEMBLIES_OR_NOT, name, table, answers({}))
    assert (found.verdict, found.measured.value) == ("holds", 1.0)
    assert checked(groups.ASSEMBLIES_OR_NOT, name, table, answers({key: 20})).measured.value == 0.0
    assert checked(groups.ASSEMBLIES_OR_NOT, name, table, answers({key: 20})).verdict == "fails"
    elsewhere = table.assign(instrument="perfect")
    assert checked(groups.ASSEMBLIES_OR_NOT, name, elsewhere, answers({})).verdict == "not measured"
    assert checked(groups.ASSEMBLIES_OR_NOT, name, table, lambda cell: None).verdict == "not measured"


@pytest.mark.parametrize(
    ("name", "this", "other"),
    [
        ("more_minutes_show_more", (groups.PROMAX, groups.FIVE), (groups.PROMAX, groups.MINUTE)),
        ("similarity_graphs_are_best", (groups.PATTERNS, groups.FIVE), (groups.PROMAX, groups.FIVE)),
    ],
)
def test_one_division_is_better_than_another_by_the_difference_of_their_agreements(name, this, other):
    table = pd.concat([divided(*this), divided(*other)])
    keys = [f"{label(method)} {plan.trials}" for method, plan in (this, other)]
    better, worse = (checked(groups.ASSEMBLIES_OR_NOT, name, table, answers({key: 15})) for key in reversed(keys))
    assert better.measured.value == pytest.approx(-worse.measured.value)
    assert 0 < better.measured.value < 1
    assert (better.verdict, worse.verdict) == ("holds", "fails")
    assert checked(groups.ASSEMBLIES_OR_NOT, name, divided(*this), answers({})).verdict == "not measured"


@pytest.mark.parametrize(
    ("name", "circuit", "methods", "many"),
    [
        ("a_common_drive_has_assemblies_too", "grouped_drive", groups.DIVIDING, True),
        ("eigenvalues_beyond_those_of_independent_units_are_no_assemblies", "unclustered_ei", (groups.ICA,), True),
        ("silhouettes_refuse_it", "unclustered_ei", (groups.LINKAGE, groups.KMEANS), False),
    ],
)
def test_divisions_where_nothing_is_divided_are_counted_over_the_methods_that_are_named(name, circuit, methods, many):
    at = {"role": "rival", "trials": 60, "instrument": "subsample", "circuit": circuit}
    named = [
        rows(m, groups.WATCHED.circuits[0], **at, false_recovery=float(many)).assign(subject=k * N + np.arange(N))
        for m in methods
        for k in range(4)
    ]
    rest = [m for m in groups.ALL if m not in methods]
    others = [rows(m, groups.WATCHED.circuits[0], **at, false_recovery=float(not many)) for m in rest]
    found = checked(groups.ASSEMBLIES_OR_NOT, name, pd.concat([*named, *others]))
    assert (found.verdict, found.measured.value) == ("holds", float(many))
    half = pd.concat([cells.assign(false_recovery=first(0.5)) for cells in named])
    assert checked(groups.ASSEMBLIES_OR_NOT, name, half).verdict == "fails"
    assert checked(groups.ASSEMBLIES_OR_NOT, name, pd.concat(others)).verdict == "not measured"


def test_a_push_is_right_on_clusters_and_wrong_on_a_drive():
    push = groups.PUSHED.methods[0]
    right = rows(push, groups.PUSHED.circuits[0], recovered=1.0)
    wrong = rows(push, groups.PUSHED.rivals[1], role="rival", false_recovery=0.0)
    many = pd.concat([t.assign(subject=k * N + np.arange(N)) for k in range(4) for t in (right, wrong)])
    names = "a_push_tells_wiring_from_drive", "and_finds_none_where_there_is_none"
    assert [checked(groups.ASSEMBLIES_OR_NOT, n, many).verdict for n in names] == ["holds", "holds"]
    flipped = many.assign(recovered=1 - many["recovered"], false_recovery=1 - many["false_recovery"])
    assert [checked(groups.ASSEMBLIES_OR_NOT, n, flipped).verdict for n in names] == ["fails", "fails"]
