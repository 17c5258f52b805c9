"""What the experiments claim, checked on made-up results of which the answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from experiments.attractor_or_not import ATTRACTOR_OR_NOT, PASSIVE
from experiments.connectivity_sampling import CONNECTIVITY_SAMPLING, DECONVOLVED
from experiments.first_light import FIRST_LIGHT
from experiments.invariance import BROKEN, BY_SHIFT, ICP, INVARIANCE
from experiments.null_certificate import NULL_CERTIFICATE
from experiments.published_connectivity import PUBLISHED_CONNECTIVITY
from experiments.wiring_and_confounds import WIRING_AND_CONFOUNDS
from simlab.claims import ClaimResult
from simlab.fingerprint import label

WITH_ORACLE = (ATTRACTOR_OR_NOT, CONNECTIVITY_SAMPLING, FIRST_LIGHT)
EXPERIMENTS = (*WITH_ORACLE, INVARIANCE, NULL_CERTIFICATE, PUBLISHED_CONNECTIVITY, WIRING_AND_CONFOUNDS)
N = 20


def cells(method: str, **columns: object) -> pd.DataFrame:
    """One cell of each of twenty subjects."""
    fixed = {
        "role": "circuit", "circuit": "ring_attractor", "trials": 40, "duration": 2.0, "status": "ok", "method": method,
        "instrument": "subsample", "instrument_label": "subsample", "kind": "passive", "question": "mechanism",
        "recovered": np.nan, "false_recovery": np.nan, "subject": np.arange(N), "method_label": method,
    }  # fmt: skip
    fixed["circuit_label"] = columns.get("circuit", fixed["circuit"])
    return pd.DataFrame(fixed | columns)


def first(share: float) -> np.ndarray:
    return (np.arange(N) < share * N).astype(float)


def verdict(experiment, name: str, table: pd.DataFrame) -> ClaimResult:
    return next(claim for claim in experiment.claims if claim.name == name).check(table)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_claims_have_names_of_their_own_a_source_and_no_verdict_without_results(experiment):
    names = [claim.name for claim in experiment.claims]
    assert len(set(names)) == len(names)
    assert all(claim.source and claim.statement for claim in experiment.claims)
    assert {claim.check(pd.DataFrame()).verdict for claim in experiment.claims} == {"not measured"}


@pytest.mark.parametrize("experiment", WITH_ORACLE, ids=lambda experiment: experiment.name)
def test_an_oracle_that_misses_a_single_cell_fails(experiment):
    oracle = cells("baseline:oracle", recovered=1.0)
    assert verdict(experiment, "oracle_recovers", oracle).verdict == "holds"
    oracle.loc[3, "recovered"] = 0.0
    assert verdict(experiment, "oracle_recovers", oracle).verdict == "fails"


def shared_drive(method: str, at_three: float, at_eight: float) -> pd.DataFrame:
    rival = {"role": "rival", "circuit": "common_drive"}
    three = cells(method, **rival, false_recovery=first(at_three), trials=90, duration=2.0)
    return pd.concat([three, cells(method, **rival, false_recovery=first(at_eight), trials=120, duration=4.0)])


def test_that_the_glm_is_fooled_less_is_claimed_for_each_duration_and_not_pooled():
    table = pd.concat([shared_drive("coupling_glm", 0.5, 1.0), shared_drive("spike_count_correlation", 1.0, 1.0)])
    three = verdict(CONNECTIVITY_SAMPLING, "glm_is_fooled_less_in_3_minutes", table)
    eight = verdict(CONNECTIVITY_SAMPLING, "glm_is_fooled_less_in_8_minutes", table)
    assert (three.verdict, three.measured.value) == ("holds", -0.5)
    assert eight.measured.value == 0
    # 20 of 20 each: the difference may still be as large as Wilson's intervals allow, -.16
    assert eight.verdict == "undecided"
    assert verdict(CONNECTIVITY_SAMPLING, "correlation_is_fooled_in_8_minutes", table).verdict == "holds"


def test_random_wiring_counts_subjects_as_a_subject_is_answered_alike_under_every_plan():
    every = [cells("baseline:random", circuit="balanced_ei", recovered=0.0, trials=t) for t in range(10)]
    assert verdict(CONNECTIVITY_SAMPLING, "random_wiring_fails", pd.concat(every)).verdict == "undecided"
    right = cells("baseline:random", circuit="balanced_ei", recovered=1.0)
    assert verdict(CONNECTIVITY_SAMPLING, "random_wiring_fails", right).verdict == "fails"


def test_more_data_are_compared_within_the_same_subjects():
    skill = np.linspace(0.6, 0.8, N)
    longer = skill + 0.1 + 0.01 * first(0.5)
    network = {"circuit": "balanced_ei"}
    short = cells("coupling_glm", auroc=skill, trials=60, duration=1.0, **network)
    table = pd.concat([short, cells("coupling_glm", auroc=longer, trials=120, duration=4.0, **network)])
    found = verdict(CONNECTIVITY_SAMPLING, "more_data_helps", table)
    assert found.verdict == "holds"
    assert found.measured.high - found.measured.low < 0.01


def test_imaging_is_compared_with_spikes_of_the_same_subjects():
    common = {"circuit": "balanced_ei", "trials": 120, "duration": 4.0}
    skill = np.linspace(0.6, 0.8, N)
    imaged = {"instrument": "two_photon", "instrument_label": "two_photon", "method_label": label(DECONVOLVED[1])}
    behind = cells("pipeline", auroc=skill - 0.1 - 0.01 * first(0.5), **(common | imaged))
    table = pd.concat([cells("coupling_glm", auroc=skill, **common), behind])
    assert verdict(CONNECTIVITY_SAMPLING, "calcium_costs", table).verdict == "holds"


def rings(falls: dict[str, float], rival: str) -> pd.DataFrame:
    """Every passive method recovers the ring always and claims it in the rival at its own rate."""
    seen = {"instrument_label": "subsample(n_units=40)"}
    twin = {"role": "rival", "circuit": "feedforward_ring", "circuit_label": rival}
    tables = [cells(method, recovered=1.0, **seen) for method in falls]
    tables += [cells(method, false_recovery=first(share), **twin, **seen) for method, share in falls.items()]
    return pd.concat(tables, ignore_index=True)


@pytest.mark.parametrize(
    ("name", "rival"),
    [
        ("the_exact_twin_is_an_identity", "feedforward_ring"),
        ("three_passive_methods_miss_a_less_perfect_twin", "feedforward_ring(common_background=0)"),
    ],
)
def test_one_passive_method_that_separates_breaks_the_claim_on_the_best_of_them(name, rival):
    always = dict.fromkeys((method.name for method in PASSIVE), 1.0)
    assert verdict(ATTRACTOR_OR_NOT, name, rings(always, rival)).verdict == "holds"
    found = verdict(ATTRACTOR_OR_NOT, name, rings(always | {PASSIVE[1].name: 0.2}, rival))
    assert found.verdict == "fails"
    assert PASSIVE[1].name in found.measured.detail


def test_a_cause_that_is_none_counts_once_for_each_answer_and_not_where_environments_act_on_the_behaviour():
    def answers(n_false, world, **more):
        columns = {"circuit": world.name, "circuit_label": label(world), "method_label": label(ICP)}
        return cells("invariant_causal_prediction", n_false=n_false, **(columns | more))

    spared, touched = BY_SHIFT[2.0], answers(3.0, BROKEN)
    one_in_twenty = answers(2 * first(0.05), spared)
    found = verdict(INVARIANCE, "invariant_prediction_keeps_its_rate", pd.concat([one_in_twenty, touched]))
    assert (found.measured.value, found.measured.n, found.verdict) == (0.05, N, "undecided")
    most = verdict(INVARIANCE, "invariant_prediction_keeps_its_rate", answers(first(0.6), spared))
    assert most.verdict == "fails"
    silent = answers(np.nan, spared, status="abstained")
    assert verdict(INVARIANCE, "invariant_prediction_keeps_its_rate", silent).verdict == "not measured"


def test_a_label_counts_where_it_is_given_and_an_abstention_gives_none():
    rings = cells("offset_reset", trials=41).assign(cell=[f"ring{k}" for k in range(N)])
    control = cells("offset_reset", circuit="cue_ring", role="rival", trials=41)
    control = control.assign(cell=[f"cue{k}" for k in range(N)], status=["abstained"] * 10 + ["ok"] * 10)

    def answer(cell: str):
        label = "ring attractor" if cell.startswith("ring") or cell == "cue19" else "feedforward"
        return None if cell in {f"cue{k}" for k in range(10)} else ({"label": label}, None)

    claim = next(c for c in ATTRACTOR_OR_NOT.claims if c.name == "offset_reset_says_no_to_controls")
    assert claim.check(pd.concat([rings, control]), answer).measured.value == pytest.approx(1 - 1 / 20)
