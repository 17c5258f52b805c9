"""Claims on shared codes and on filters, on made-up results: each is read in its own cells, whatever others hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from circuits.coding.private_codes import PrivateCodes
from circuits.coding.unseeing_cells import UnseeingCells
from circuits.coding.untied_retina import UntiedRetina
from circuits.latent.other_flow import OtherFlow
from circuits.latent.shared_flow import SharedFlow
from experiments import explaining_away as explaining
from experiments import predict_then_explain as predicting
from experiments import shared_or_not as sharing
from experiments import spikes_or_calcium as imaging
from experiments import weight_tying as tying
from simlab.claims import ClaimResult
from simlab.fingerprint import label
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample

N = 20


def first(share: float) -> np.ndarray:
    return (np.arange(N) < share * N).astype(float)


def verdict(experiment, name: str, table: pd.DataFrame) -> ClaimResult:
    return next(claim for claim in experiment.claims if claim.name == name).check(table)


def seen(method, circuit, plan, instrument=None, **columns: object) -> pd.DataFrame:
    """One cell of each of twenty subjects: a method's results on a circuit, or on the label of one, under a plan."""
    scope = instrument or Perfect()
    named = circuit if isinstance(circuit, str) else label(circuit)
    at = {
        "role": "circuit", "circuit": named.split("(")[0], "circuit_label": named, "trials": plan.trials,
        "duration": plan.duration, "status": "ok", "method": method.name, "method_label": label(method),
        "instrument": scope.name, "instrument_label": label(scope), "kind": "passive", "question": method.question,
        "recovered": np.nan, "false_recovery": np.nan, "subject": np.arange(N),
    }  # fmt: skip
    return pd.DataFrame(at | columns)


FALSE, RIGHT = "false_recovery", "correct"
RUNS_OF_OTHERS, SHUFFLED = label(PrivateCodes(sharing.RUNS)), label(PrivateCodes(sharing.SHUFFLED_RUNS))
VERDICTS = {
    "a_common_gain_makes_uncorrected_rsa_call_them_alike": (sharing.EUCLIDEAN, sharing.COMMON, FALSE, 1.0),
    "cross_validation_alone_does_not_help": (sharing.CROSSED, sharing.COMMON, FALSE, 1.0),
    "crossnobis_is_hardly_fooled": (sharing.CROSSNOBIS, sharing.COMMON, FALSE, 0.0),
    "other_trials_settle_it": (sharing.OTHER_TRIALS, sharing.COMMON, FALSE, 0.0),
    "debiased_alignment_is_fooled_by_a_common_gain": (sharing.DEBIASED, sharing.COMMON, FALSE, 1.0),
    "held_out_stimuli_do_not_protect_predictions": (sharing.PREDICTED, sharing.COMMON, FALSE, 1.0),
    "held_out_trials_protect_them": (sharing.PREDICTED_APART, sharing.COMMON, FALSE, 0.0),
    "slow_noise_makes_uncorrected_rsa_call_them_alike": (sharing.EUCLIDEAN, RUNS_OF_OTHERS, FALSE, 1.0),
    "a_new_order_in_each_run_settles_it": (sharing.EUCLIDEAN, SHUFFLED, FALSE, 0.0),
    "cross_validation_over_runs_settles_it": (sharing.CROSSED, RUNS_OF_OTHERS, FALSE, 0.0),
    "other_trials_do_not": (sharing.OTHER_TRIALS, RUNS_OF_OTHERS, FALSE, 1.0),
    "whitening_by_the_same_runs_undoes_it": (sharing.CROSSNOBIS, RUNS_OF_OTHERS, FALSE, 1.0),
    "whitening_by_other_runs_does_not": (sharing.APART, RUNS_OF_OTHERS, FALSE, 0.0),
    "alike_in_geometry": (sharing.ONSETS[1], label(OtherFlow()), RIGHT, 1.0),
    "and_not_in_mechanism": (sharing.DYNAMICAL, label(OtherFlow()), RIGHT, 1.0),
    "one_flow_is_one_in_other_neurons": (sharing.DYNAMICAL, label(SharedFlow()), RIGHT, 1.0),
}
"""The method and the circuit that a claim is about, and the rate at which it holds: always or never."""

WORLDS = {sharing.COMMON, sharing.PRIVATE, RUNS_OF_OTHERS, SHUFFLED, label(OtherFlow()), label(SharedFlow())}


def repeated(table: pd.DataFrame, times: int = 3) -> pd.DataFrame:
    """As many more animals: Wilson's interval of twenty that agree is too wide for a band of a tenth."""
    return pd.concat([table.assign(subject=table["subject"] + N * k) for k in range(times)], ignore_index=True)


@pytest.mark.parametrize("name", VERDICTS)
def test_a_verdict_on_codes_is_that_of_its_measure_and_its_circuit_alone(name):
    method, circuit, column, rate = VERDICTS[name]
    others = [other for other in (sharing.EUCLIDEAN, sharing.DEBIASED, sharing.DYNAMICAL) if other != method]
    if method in sharing.ONSETS:  # the claim is on the three of them
        others.append(sharing.ONSETS[0])
    mine = seen(method, circuit, sharing.FOUR, role="rival", mine=True)
    aside = [seen(other, circuit, sharing.FOUR, role="rival", mine=other in sharing.ONSETS) for other in others]
    aside += [seen(method, world, sharing.FOUR, role="rival", mine=False) for world in WORLDS - {circuit}]
    table = repeated(pd.concat([mine, *aside]))
    for value, expected in ((rate, "holds"), (1 - rate, "fails")):
        found = verdict(
            sharing.SHARED_OR_NOT, name, table.assign(**{column: np.where(table["mine"], value, 1 - value)})
        )
        assert (found.verdict, found.measured.value, found.measured.n) == (expected, value, table["mine"].sum())


@pytest.mark.parametrize("n", sharing.UNITS)
def test_noise_aligns_by_its_number_of_units_and_no_other(n):
    assert sharing.by_noise_alone(n) == pytest.approx((n / (n + 24) - 0.03, n / (n + 24) + 0.03))
    spread = np.linspace(-0.005, 0.005, N)
    tables = [
        seen(sharing.BIASED, sharing.NOISE[k], sharing.FOUR, stated_similarity=k / (k + 24) + spread)
        for k in sharing.UNITS
    ]
    table = pd.concat([*tables, seen(sharing.DEBIASED, sharing.NOISE[96], sharing.FOUR, stated_similarity=spread)])
    name = f"{n}_units_of_noise_align_by_their_number"
    assert verdict(sharing.SHARED_OR_NOT, name, table).verdict == "holds"
    assert verdict(sharing.SHARED_OR_NOT, "debiased_alignment_of_noise_is_none", table).verdict == "holds"
    assert verdict(sharing.SHARED_OR_NOT, name, table.assign(stated_similarity=0.0)).verdict == "fails"


def test_shared_codes_are_counted_in_ten_repeats_over_all_measures_and_abstentions_are_no_verdicts():
    ten = [seen(m, sharing.SHARED, sharing.TEN, correct=1.0) for m in (sharing.EUCLIDEAN, sharing.BIASED)]
    four = seen(sharing.EUCLIDEAN, sharing.SHARED, sharing.FOUR, correct=0.0)
    half = seen(sharing.EUCLIDEAN, sharing.HALF, sharing.TEN, correct=0.0)
    found = verdict(sharing.SHARED_OR_NOT, "shared_codes_are_found", repeated(pd.concat([*ten, four, half])))
    assert (found.verdict, found.measured.value) == ("holds", 1.0)
    ten[0]["correct"] = first(0.5)
    found = verdict(sharing.SHARED_OR_NOT, "shared_codes_are_found", repeated(pd.concat([*ten, four])))
    assert (found.verdict, found.measured.value) == ("fails", 0.75)


def test_baselines_do_not_count_among_measures_that_keep_private_codes_apart():
    apart = seen(sharing.EUCLIDEAN, sharing.PRIVATE, sharing.FOUR, role="rival", false_recovery=0.0)
    coin = apart.assign(kind="baseline", method="baseline:random", method_label="baseline:random", false_recovery=1.0)
    found = verdict(sharing.SHARED_OR_NOT, "private_codes_are_kept_apart", repeated(pd.concat([apart, coin])))
    assert (found.verdict, found.measured.value) == ("holds", 0.0)


SKILL = np.linspace(0.6, 0.7, N)
JITTER = 0.005 * first(0.5)
"""So that differences within animals are not all the same."""
TWELVE = Subsample(n_units=12)

OVERLAPS = {
    "receptive_fields_resemble_the_elements": (explaining.STA, explaining.IN_NOISE, 0.9, 0.5),
    "but_they_are_not_the_elements": (explaining.STA, explaining.IN_NOISE, 0.9, 0.99),
    "without_competition_they_are": (explaining.SMOOTH, explaining.ALONE, 0.99, 0.9),
}


@pytest.mark.parametrize("name", OVERLAPS)
def test_an_overlap_is_read_in_ten_minutes_of_its_own_cortex(name):
    method, circuit, right, wrong = OVERLAPS[name]
    for value, other, expected in ((right, wrong, "holds"), (wrong, right, "fails")):
        at = {"instrument": TWELVE}
        rest = {explaining.COMPETING, explaining.ALONE, explaining.IN_NOISE} - {circuit}
        table = [seen(method, circuit, explaining.MANY, **at, overlap=value + JITTER)]
        table += [seen(method, circuit, explaining.FEW, **at, overlap=other)]
        table += [seen(explaining.QUADRATIC, circuit, explaining.MANY, **at, overlap=other)]
        table += [seen(method, world, explaining.MANY, **at, overlap=other) for world in rest]
        found = verdict(explaining.EXPLAINING_AWAY, name, pd.concat(table))
        assert (found.verdict, found.measured.value) == (expected, pytest.approx(value + JITTER.mean()))


def test_what_competition_models_and_data_change_is_told_within_animals():
    def smooth(circuit, plan, overlap: np.ndarray) -> pd.DataFrame:
        return seen(explaining.SMOOTH, circuit, plan, TWELVE, overlap=overlap)

    table = pd.concat([
        smooth(explaining.ALONE, explaining.MANY, SKILL + 0.2),
        smooth(explaining.COMPETING, explaining.MANY, SKILL - JITTER),
        smooth(explaining.COMPETING, explaining.FEW, SKILL - 0.2 - JITTER),
        seen(explaining.QUADRATIC, explaining.COMPETING, explaining.MANY, TWELVE, overlap=SKILL - 0.1),
        seen(explaining.SMOOTH, UnseeingCells(like=explaining.COMPETING), explaining.MANY, TWELVE, role="rival",
             false_recovery=1.0),
    ])  # fmt: skip
    names = (
        "competition_moves_them", "a_model_that_is_not_linear_does_not_undo_it", "nor_do_more_data",
        "the_unseeing_have_no_filter",
    )  # fmt: skip
    found = [verdict(explaining.EXPLAINING_AWAY, name, table) for name in names]
    assert [result.verdict for result in found] == ["holds", "holds", "fails", "fails"]
    values = [result.measured.value for result in found]
    assert values == pytest.approx([-0.2 - JITTER.mean(), -0.1 + JITTER.mean(), 0.2, 1.0])


KINDS = {
    "filters_show_the_kinds": (tying.FILTERS, tying.WHITE, Perfect(), 0.97, 0.7),
    "twelve_cells_are_enough": (tying.FILTERS, tying.WHITE, TWELVE, 0.9, 0.7),
    "natural_frames_are_no_obstacle": (tying.FILTERS, tying.NATURAL, Perfect(), 0.97, 0.7),
    "correlations_do_not_show_them": (tying.CORRELATIONS, tying.WHITE, Perfect(), 0.0, 0.5),
}


@pytest.mark.parametrize("name", KINDS)
def test_kinds_are_agreed_on_in_five_minutes_by_one_method_in_one_retina(name):
    method, retina, scope, right, wrong = KINDS[name]
    for value, other, expected in ((right, wrong, "holds"), (wrong, right, "fails")):
        table = [seen(method, retina, tying.LONG, scope, adjusted_rand=value + JITTER)]
        table += [seen(method, retina, tying.SHORT, scope, adjusted_rand=other)]
        table += [seen(tying.COMPONENTS, retina, tying.LONG, scope, adjusted_rand=other)]
        another = tying.NATURAL if retina == tying.WHITE else tying.WHITE
        table += [seen(method, another, tying.LONG, scope, adjusted_rand=other)]
        table += [seen(method, retina, tying.LONG, TWELVE if scope == Perfect() else Perfect(), adjusted_rand=other)]
        found = verdict(tying.WEIGHT_TYING, name, pd.concat(table))
        assert (found.verdict, found.measured.value) == (expected, pytest.approx(value + JITTER.mean()))


def test_pooling_adds_in_half_a_minute_where_filters_are_shared_and_harms_nowhere():
    untied = UntiedRetina(like=tying.WHITE)
    table = pd.concat([
        seen(tying.SMOOTH, tying.WHITE, tying.SHORT, overlap=SKILL),
        seen(tying.POOLED, tying.WHITE, tying.SHORT, overlap=SKILL + 0.1 + JITTER),
        seen(tying.SMOOTH, tying.WHITE, tying.LONG, overlap=SKILL + 0.3),
        seen(tying.POOLED, tying.WHITE, tying.LONG, overlap=SKILL),
        seen(tying.SMOOTH, untied, tying.SHORT, overlap=SKILL),
        seen(tying.POOLED, untied, tying.SHORT, overlap=SKILL - 0.1 - JITTER),
        seen(tying.FILTERS, untied, tying.LONG, role="rival", false_recovery=0.0),
        seen(tying.CORRELATIONS, untied, tying.LONG, role="rival", false_recovery=1.0),
        seen(tying.FILTERS, tying.WHITE, tying.SHORT, adjusted_rand=SKILL + JITTER),
        seen(tying.FILTERS, tying.WHITE, tying.LONG, adjusted_rand=SKILL),
    ])  # fmt: skip
    expected = {
        "shared_filters_are_seen_sooner": ("holds", 0.1 + JITTER.mean()),
        "pooling_does_no_harm_where_nothing_is_shared": ("fails", -0.1 - JITTER.mean()),
        "half_a_minute_is_too_little": ("fails", JITTER.mean()),
        "no_kinds_among_the_untied": ("holds", 0.0),
    }
    for name, (told, value) in expected.items():
        found = verdict(tying.WEIGHT_TYING, name, repeated(table))
        assert (found.verdict, found.measured.value) == (told, pytest.approx(value))


GAINS = {
    "it_helps_when_data_are_few": (predicting.STA, predicting.SIMPLE, predicting.MINUTE, 0.1, -0.1),
    "it_helps_with_what_is_not_linear": (predicting.STC, predicting.COMPLEX, predicting.TEN, 0.0, -0.1),
}


@pytest.mark.parametrize("name", GAINS)
def test_what_a_network_gains_is_told_for_its_amount_of_data(name):
    method, circuit, plan, right, wrong = GAINS[name]
    other = predicting.TEN if plan == predicting.MINUTE else predicting.MINUTE
    through = predicting.behind(predicting.HELD_OUT, method)
    for gain, elsewhere, expected in ((right, wrong, "holds"), (wrong, right, "fails")):
        table = pd.concat([
            seen(method, circuit, plan, overlap=SKILL), seen(through, circuit, plan, overlap=SKILL + gain + JITTER),
            seen(method, circuit, other, overlap=SKILL), seen(through, circuit, other, overlap=SKILL + elsewhere),
            seen(predicting.behind(predicting.TRUSTING, method), circuit, plan, overlap=SKILL + elsewhere),
        ])  # fmt: skip
        found = verdict(predicting.PREDICT_THEN_EXPLAIN, name, table)
        assert (found.verdict, found.measured.value) == (expected, pytest.approx(gain + JITTER.mean()))


def test_filters_given_to_complex_cells_are_told_apart_by_whether_a_network_stands_between():
    through = predicting.behind(predicting.HELD_OUT, predicting.STA)
    new = predicting.behind(predicting.ON_WHITE, predicting.STA)
    table = pd.concat([
        seen(predicting.STA, predicting.COMPLEX, predicting.TEN, found=0.05 * first(0.5)),
        seen(through, predicting.COMPLEX, predicting.TEN, found=1.0 - 0.1 * first(0.5)),
        seen(through, predicting.COMPLEX, predicting.MINUTE, found=0.0),
        seen(predicting.STA, predicting.NATURAL, predicting.TEN, overlap=SKILL),
        seen(new, predicting.NATURAL, predicting.TEN, overlap=SKILL + 0.2 + JITTER),
        seen(through, predicting.NATURAL, predicting.TEN, overlap=SKILL - 0.2),
    ])  # fmt: skip
    expected = {
        "what_has_no_noise_looks_significant": 0.95, "directly_they_are_not": 0.025,
        "a_network_can_be_shown_other_frames": 0.2 + JITTER.mean(),
    }  # fmt: skip
    for name, value in expected.items():
        found = verdict(predicting.PREDICT_THEN_EXPLAIN, name, table)
        assert (found.verdict, found.measured.value) == ("holds", pytest.approx(value))


def test_blurred_receptive_fields_are_those_of_the_slow_indicator_in_the_same_animals():
    def film(scope, method, overlap: np.ndarray) -> pd.DataFrame:
        return seen(method, imaging.CELLS, imaging.FILM, scope, overlap=overlap)

    table = pd.concat([
        film(imaging.SPIKES, imaging.AVERAGE, SKILL + 0.2),
        film(imaging.FAST, imaging.INFERRED_AVERAGE, SKILL - 0.1),
        film(imaging.SLOW, imaging.INFERRED_AVERAGE, SKILL + JITTER),
        seen(imaging.REGRESSION, imaging.VALUES, imaging.SESSION, imaging.SPIKES, recall=SKILL),
        seen(imaging.INFERRED, imaging.VALUES, imaging.SESSION, imaging.SLOW, recall=SKILL - 0.1 - JITTER),
        seen(imaging.INFERRED, imaging.VALUES, imaging.SESSION, imaging.FAST, recall=SKILL + 0.1),
    ])  # fmt: skip
    expected = {
        "receptive_fields_are_blurred": ("holds", -0.2 + JITTER.mean()),
        "a_slower_indicator_blurs_more": ("fails", 0.1 + JITTER.mean()),
        "but_in_part": ("holds", -0.1 - JITTER.mean()),
    }
    for name, (told, value) in expected.items():
        found = verdict(imaging.SPIKES_OR_CALCIUM, name, table)
        assert (found.verdict, found.measured.value) == (told, pytest.approx(value))


def test_one_animal_is_too_few_for_any_difference():
    sides = (imaging.SPIKES, imaging.AVERAGE, SKILL), (imaging.SLOW, imaging.INFERRED_AVERAGE, SKILL - 0.2)
    table = pd.concat([seen(m, imaging.CELLS, imaging.FILM, s, overlap=skill)[:1] for s, m, skill in sides])
    assert verdict(imaging.SPIKES_OR_CALCIUM, "receptive_fields_are_blurred", table).verdict != "holds"
