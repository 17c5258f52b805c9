"""What experiments on information, features and forking paths claim, on made-up results with known answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from experiments import forking_paths as forking
from experiments import limits_of_information as limits
from experiments import superposition_and_dictionaries as dictionaries
from simlab.claims import ClaimResult
from simlab.fingerprint import label
from simlab.instruments.recording.subsample import Subsample

N = 20


def cells(method: object, circuit: object, trials: int, **columns: object) -> pd.DataFrame:
    """One cell of each of twenty subjects, in recordings of all neurons."""
    fixed = {
        "role": "circuit", "circuit": getattr(circuit, "name", circuit), "circuit_label": label(circuit),
        "method": getattr(method, "name", method), "method_label": label(method), "trials": trials, "status": "ok",
        "instrument": "perfect", "instrument_label": "perfect", "kind": "passive", "recovered": np.nan,
        "false_recovery": np.nan, "subject": np.arange(N),
    }  # fmt: skip
    return pd.DataFrame(fixed | columns)


def first(share: float) -> np.ndarray:
    return (np.arange(N) < share * N).astype(float)


def verdict(experiment, name: str, table: pd.DataFrame, *answer: object) -> ClaimResult:
    return next(claim for claim in experiment.claims if claim.name == name).check(table, *answer)


def band(experiment, name: str) -> tuple[float, float]:
    return next(claim for claim in experiment.claims if claim.name == name).band


SPREAD = 0.01 * (first(0.5) - 0.5)
"""Of subjects about their mean, which it leaves as it is."""

ERRORS = {
    "which_is_several_times_too_large": (limits.NAIVE, limits.LIMITED, limits.SHORT),
    "the_correction_removes_the_bias": (limits.CORRECTED, limits.LIMITED, limits.SESSION),
    "shuffling_hides_the_limit": (limits.SHUFFLED, limits.LIMITED, limits.SESSION),
    "and_is_nearly_right_without_one": (limits.SHUFFLED, limits.GROWING, limits.SESSION),
    "a_held_out_decoder_is_no_overestimate": (limits.LOGISTIC, limits.LIMITED, limits.SESSION),
    "training_trials_inflate": (limits.KNOWN, limits.LIMITED, limits.SHORT),
    "honest_choice_shows_nothing": (limits.CHOSEN, limits.UNTUNED, limits.SHORT),
    "neighbours_in_time_tell_blocks_apart": (limits.NEIGHBOURS, limits.DRIFTING, limits.SHORT),
    "folds_of_whole_blocks_do_not": (limits.BAYES, limits.DRIFTING, limits.SHORT),
    "short_blocks_protect": (limits.NEIGHBOURS, limits.ALTERNATING, limits.SHORT),
}
SHARES = {
    "and_its_interval_covers": ("covered", limits.CORRECTED, limits.LIMITED, limits.SESSION),
    "saturation_is_seen": ("verdict", limits.SCALING, limits.LIMITED, limits.SESSION),
    "harmless_noise_is_seldom_taken_for_a_limit": ("verdict", limits.SCALING, limits.GROWING, limits.SESSION),
    "a_faint_limit_is_not_seen": ("verdict", limits.SCALING, limits.FAINT, limits.LONG),
    "nor_does_the_correction_help_there": ("covered", limits.CORRECTED, limits.DRIFTING, limits.SESSION),
    "halves_betray_recurrent_sharpening": ("verdict", limits.SCALING, limits.SHARPENED, limits.SESSION),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_the_mean_of_its_method_in_its_own_world_and_plan(name):
    method, circuit, plan = ERRORS[name]
    low, high = band(limits.LIMITS_OF_INFORMATION, name)
    middle = (low + high) / 2
    right = cells(method, circuit, plan.trials, relative_error=middle + SPREAD)
    elsewhere = right.assign(relative_error=99.0)
    others = {
        "trials": plan.trials + 1,
        "method_label": "another",
        "circuit_label": "another",
        "instrument": "subsample",
    }
    elsewhere = [elsewhere.assign(**{column: other}) for column, other in others.items()]
    found = verdict(limits.LIMITS_OF_INFORMATION, name, pd.concat([right, *elsewhere]))
    assert (found.measured.value, found.measured.n) == (pytest.approx(middle), N)
    assert found.verdict == "holds"
    beyond = right.assign(relative_error=high + 1 + SPREAD)
    assert verdict(limits.LIMITS_OF_INFORMATION, name, beyond).verdict == "fails"


@pytest.mark.parametrize("name", SHARES)
def test_a_share_is_that_of_subjects_in_its_own_world_and_abstentions_do_not_count(name):
    metric, method, circuit, plan = SHARES[name]
    rows = cells(method, circuit, plan.trials, **{metric: first(0.5)})
    rows.loc[15:, "status"] = "abstained"
    found = verdict(limits.LIMITS_OF_INFORMATION, name, rows)
    assert (found.measured.value, found.measured.n) == (pytest.approx(10 / 15), 15)
    inside, outside = (1.0, 0.0) if band(limits.LIMITS_OF_INFORMATION, name)[1] == 1 else (0.0, 1.0)
    assert (
        verdict(limits.LIMITS_OF_INFORMATION, name, rows.assign(**{metric: outside, "status": "ok"})).verdict == "fails"
    )
    assert (
        verdict(limits.LIMITS_OF_INFORMATION, name, rows.assign(**{metric: inside, "status": "ok"})).verdict == "holds"
    )


def test_choosing_units_beforehand_is_compared_within_the_same_sessions():
    apart = np.linspace(-5, 5, N)
    honest = cells(limits.CHOSEN, limits.UNTUNED, limits.SHORT.trials, relative_error=apart)
    leaking = cells(limits.PICKED, limits.UNTUNED, limits.SHORT.trials, relative_error=apart + 8 + SPREAD)
    table = pd.concat([honest, leaking.sample(frac=1.0, random_state=0)])
    found = verdict(limits.LIMITS_OF_INFORMATION, "choosing_units_beforehand_inflates", table)
    assert (found.measured.value, found.verdict) == (pytest.approx(8.0), "holds")
    assert found.measured.high - found.measured.low < 0.1
    alone = verdict(limits.LIMITS_OF_INFORMATION, "choosing_units_beforehand_inflates", honest)
    assert alone.verdict == "not measured"


def test_the_direction_of_noise_is_counted_with_a_limit_and_without():
    name, trials = "the_direction_of_noise_is_seen_at_once", limits.SHORT.trials
    both = [
        cells(limits.DIRECTION, limits.LIMITED, trials, correct=1.0),
        cells(limits.DIRECTION, limits.GROWING, trials, correct=first(0.5), role="rival"),
        cells(limits.DIRECTION, limits.SHARPENED, trials, correct=0.0),
    ]
    assert verdict(limits.LIMITS_OF_INFORMATION, name, pd.concat(both)).measured.value == pytest.approx(0.75)


def test_what_is_passed_on_is_the_share_of_the_input_and_what_is_fed_is_compared_by_its_distance():
    at = {"circuit": limits.SHARPENED, "trials": limits.SESSION.trials}
    table = cells(limits.SHUFFLED, **at, cell=[f"cell {k}" for k in range(N)], discriminability=2.0 + SPREAD)
    truth = {"information": 0.8 / limits.SHARPENED.blur**2}
    assert limits.of_the_input({}, truth) == pytest.approx(0.8)
    kept = lambda cell: ({}, {"information": truth["information"] * (1 + 0.01 * (cell[-1] > "4"))})  # noqa: E731
    found = verdict(limits.LIMITS_OF_INFORMATION, "sharpening_adds_nothing_to_the_input", table, kept)
    assert (found.measured.value, found.verdict) == (pytest.approx(0.804), "holds")
    fed = table.assign(circuit_label=label(limits.FED), discriminability=9.0 + SPREAD)
    name = "the_same_tuning_tells_more_where_each_gets_its_own"
    apart = verdict(limits.LIMITS_OF_INFORMATION, name, pd.concat([table, fed]))
    assert (apart.measured.value, apart.verdict) == (pytest.approx(7.0), "holds")
    assert (
        verdict(
            limits.LIMITS_OF_INFORMATION, name, pd.concat([table, fed.assign(discriminability=2.0 + SPREAD)])
        ).verdict
        == "fails"
    )


@pytest.mark.parametrize(("units", "trials"), [(60, 50)])
def test_the_theory_of_the_naive_estimate_is_that_of_noise_alone_where_nothing_is_coded(units, trials):
    noise = 2 * units / (trials * 0.1**2)
    assert limits.over_theory({"information": noise * 98 / 37}, {"information": 0.0, "step": 0.1}) == pytest.approx(1)
    assert (limits.LIMITED.n_neurons, limits.SHORT.trials) == (units, 2 * trials)


MANY = dictionaries.MANY.trials
COSINES = {
    "features_are_found_in_the_right_region": (dictionaries.GOOD, dictionaries.FEATURES),
    "without_a_penalty_they_are_not": (dictionaries.LOOSE, dictionaries.FEATURES),
    "without_superposition_independent_components_suffice": (dictionaries.BY["ica"], dictionaries.SPARSE),
    "counts_hide_them": (dictionaries.UNASKED, dictionaries.SPIKES),
}
COMPARED = {
    "with_too_much_they_are_not_either": (dictionaries.SWEPT[1.0, 128], "mean_max_cosine"),
    "the_one_that_finds_none_rebuilds_better": (dictionaries.LOOSE, "unexplained"),
    "components_are_beaten": (dictionaries.BY["pca"], "mean_max_cosine"),
    "independent_components_are_beaten": (dictionaries.BY["ica"], "mean_max_cosine"),
}


@pytest.mark.parametrize("name", COSINES)
def test_a_cosine_is_read_of_one_method_in_one_world_from_twenty_minutes(name):
    method, circuit = COSINES[name]
    middle = sum(band(dictionaries.SUPERPOSITION_AND_DICTIONARIES, name)) / 2
    right = cells(method, circuit, MANY, mean_max_cosine=middle + SPREAD)
    short = cells(method, circuit, dictionaries.FEW.trials, mean_max_cosine=2.0)
    other = cells(method, dictionaries.ZIPF, MANY, mean_max_cosine=2.0)
    found = verdict(dictionaries.SUPERPOSITION_AND_DICTIONARIES, name, pd.concat([right, short, other]))
    assert (found.measured.value, found.verdict) == (pytest.approx(middle), "holds")
    away = right.assign(mean_max_cosine=(0.95 if middle < 0.5 else 0.5) + SPREAD)
    assert verdict(dictionaries.SUPERPOSITION_AND_DICTIONARIES, name, away).verdict == "fails"


@pytest.mark.parametrize("name", COMPARED)
def test_dictionaries_are_compared_on_the_same_populations(name):
    other, column = COMPARED[name]
    apart = np.linspace(0.2, 0.5, N)
    table = pd.concat(
        [
            cells(dictionaries.GOOD, dictionaries.FEATURES, MANY, **{column: apart + 0.4 + SPREAD}),
            cells(other, dictionaries.FEATURES, MANY, **{column: apart}),
        ]
    )
    found = verdict(dictionaries.SUPERPOSITION_AND_DICTIONARIES, name, table)
    assert (found.measured.value, found.verdict) == (pytest.approx(0.4), "holds")
    turned = table.assign(**{column: -table[column]})
    assert verdict(dictionaries.SUPERPOSITION_AND_DICTIONARIES, name, turned).verdict == "fails"


def test_a_hierarchy_is_compared_with_features_as_frequent_that_come_alone():
    at = {"method": dictionaries.GOOD, "trials": MANY}
    alone, company, others = (
        cells(circuit=circuit, mean_max_cosine=value + SPREAD, **at)
        for circuit, value in ((dictionaries.ZIPF, 0.9), (dictionaries.HIERARCHICAL, 0.8), (dictionaries.FEATURES, 0.0))
    )
    name = "hierarchy_hides_features"
    found = verdict(dictionaries.SUPERPOSITION_AND_DICTIONARIES, name, pd.concat([alone, company, others]))
    assert (found.measured.value, found.verdict) == (pytest.approx(0.1), "holds")
    only = pd.concat([alone, others])
    assert verdict(dictionaries.SUPERPOSITION_AND_DICTIONARIES, name, only).verdict == "not measured"


def test_a_dictionary_counts_as_stated_in_the_dense_code_alone():
    dense = dictionaries.DenseCode()
    stated = cells(dictionaries.GOOD, dense, MANY, role="rival", status=["ok"] * 5 + ["abstained"] * 15)
    elsewhere = cells(dictionaries.GOOD, dictionaries.FEATURES, MANY)
    table = pd.concat([stated, elsewhere])
    name = "asking_for_axes_that_stand_out_prevents_it"
    assert verdict(dictionaries.SUPERPOSITION_AND_DICTIONARIES, name, table).measured.value == pytest.approx(0.25)
    assert verdict(dictionaries.SUPERPOSITION_AND_DICTIONARIES, name, elsewhere).verdict == "not measured"


PATHS = {"connectivity": 32, "timescale": 18, "dimensionality": 24, "oscillation": 16, "tuning": 12}


def test_the_paths_are_all_different_and_all_of_one_question():
    for grid, (question, number) in zip(forking.GRIDS, PATHS.items(), strict=True):
        assert len({label(method) for method in grid.methods}) == len(grid.methods) == number
        assert {method.question for method in grid.methods} == {question}
        assert all(question in circuit.questions for circuit in (*grid.circuits, *grid.rivals))
        assert grid.instruments == (Subsample(n_units=30),)
    assert set(forking.WHAT) == set(PATHS)


def path(question: str, k: int, recovered: object, **more: object) -> pd.DataFrame:
    return cells(f"path {k}", "net", 100, question=question, recovered=recovered, **more)


@pytest.mark.parametrize("question", forking.WHAT)
def test_paths_disagree_where_some_are_right_and_others_are_not(question):
    name = f"paths_disagree_on_{question}"
    oracle = path(question, 0, 1.0).assign(method="baseline:oracle")
    never, always, half = (path(question, k, first(share)) for k, share in enumerate((0.0, 1.0, 0.5)))
    for paths, share in (
        ((never, oracle), 0.0),
        ((always, always), 0.0),
        ((never, always), 1.0),
        ((half, always), 0.5),
    ):
        found = verdict(forking.FORKING_PATHS, name, pd.concat(paths))
        assert (found.measured.value, found.measured.n) == (share, N)
    other = pd.concat([path("effect", 0, 0.0), path("effect", 1, 1.0)])
    assert verdict(forking.FORKING_PATHS, name, other).verdict == "not measured"


def test_the_share_of_paths_that_reach_the_truth_weighs_recordings_alike_and_an_abstention_misses():
    table = pd.concat(
        [
            *(path("tuning", k, first(share)) for k, share in enumerate((1.0, 0.5))),
            *(path("timescale", k, np.nan, status="abstained") for k in range(6)),
            path("tuning", 9, 1.0).assign(method="baseline:oracle"),
            path("tuning", 10, 1.0, role="rival"),
        ]
    )
    found = verdict(forking.FORKING_PATHS, "most_paths_miss", table)
    assert found.measured.value == pytest.approx((0.75 + 0.0) / 2)
    assert forking.by_recording(table, "tuning", "circuit", "recovered")["share"].tolist() == [1.0] * 10 + [0.5] * 10


@pytest.mark.parametrize("question", ["connectivity", "oscillation", "tuning"])
def test_one_path_that_claims_suffices_in_a_rival_and_circuits_do_not_count(question):
    rival = [path(question, k, np.nan, role="rival", false_recovery=np.roll(first(0.2), 4 * k)) for k in range(3)]
    circuit = path(question, 0, 1.0, false_recovery=1.0).assign(circuit_label="with it")
    name = f"some_path_claims_{question}_in_a_rival"
    found = verdict(forking.FORKING_PATHS, name, pd.concat([*rival, circuit]))
    assert (found.measured.value, found.measured.n) == (pytest.approx(0.6), N)
    silent = pd.concat([part.assign(status="abstained", false_recovery=np.nan) for part in rival])
    none = verdict(forking.FORKING_PATHS, name, silent)
    assert (none.measured.value, none.verdict) == (0.0, "fails")
