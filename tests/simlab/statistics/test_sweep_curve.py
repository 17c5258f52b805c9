"""Curves over whatever varies, on tables whose answer is known: like with like, and what was left out is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from simlab.contracts import SimlabError
from simlab.statistics import leaderboards, summarise, sweep_curve, values_of, varying
from simlab.statistics.intervals import wilson

NAN = float("nan")


def cells(right: int, n: int = 10, **columns: object) -> pd.DataFrame:
    """n subjects through one setting, of which the first `right` are recovered."""
    hit = (np.arange(n) < right).astype(float)
    fixed = {
        "role": "circuit", "circuit": "net", "circuit_label": "net", "twin": "", "trials": 10, "duration": 1.0,
        "instrument": "few", "instrument_label": "few", "stimulator_label": "", "method": "glm", "method_label": "glm",
        "question": "connectivity", "kind": "passive", "status": "ok", "recovered": hit, "false_recovery": NAN,
        "confidence": NAN, "mcc": hit, "chance_mcc": 0.0, "subject": np.arange(n), "n_units": 20, "n_neurons": 100,
        "budget_perturbations": NAN,
    }  # fmt: skip
    return pd.DataFrame(fixed | columns)


def rivals(fooled: int, n: int = 10, **columns: object) -> pd.DataFrame:
    wrong = (np.arange(n) < fooled).astype(float)
    fixed = {"role": "rival", "circuit": "twin", "circuit_label": "twin", "twin": "net", "recovered": NAN,
             "false_recovery": wrong, "mcc": NAN}  # fmt: skip
    return cells(0, n, **(fixed | columns))


def through(n_units: int, **more: object) -> dict[str, object]:
    label = f"few(n_units={n_units})"
    return {"instrument_label": label, "instrument.n_units": n_units, "n_units": n_units} | more


def whole(*tables: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True)


SWEEP = [cells(2, **through(10)), cells(5, **through(20)), cells(9, **through(40))]


def test_a_curve_over_an_instruments_parameter_holds_each_rate_with_its_interval() -> None:
    found = sweep_curve(whole(*SWEEP), "instrument.n_units")
    assert found["instrument.n_units"].tolist() == [10, 20, 40]
    assert found["recovery"].tolist() == [0.2, 0.5, 0.9]
    assert (found["recovery_low"][1], found["recovery_high"][1]) == pytest.approx(wilson(5, 10))
    assert found[["n", "n_subjects", "asked", "answered", "abstained"]].to_numpy().tolist() == [[10, 10, 10, 10, 0]] * 3
    assert found.attrs == {"label": "instrument: n units", "cells": "each point over 10 subjects"}


def test_a_metric_and_its_chance_are_curves_as_well() -> None:
    table = whole(*SWEEP).assign(mcc=lambda t: t["n_units"] / 100 + t["subject"] / 1000, chance_mcc=0.05)
    found = sweep_curve(table, "instrument.n_units", "mcc")
    assert found["mcc"].tolist() == pytest.approx([0.1045, 0.2045, 0.4045])
    assert found["chance"].tolist() == pytest.approx([0.05] * 3)
    assert (found["mcc_low"] < found["mcc"]).all()
    assert (found["mcc"] < found["mcc_high"]).all()


def test_only_settings_that_met_every_value_count_and_the_rest_is_named() -> None:
    lucky = cells(10, **through(40, duration=60.0))
    late = cells(10, 5, **through(20)).assign(subject=lambda t: t["subject"] + 100)
    found = sweep_curve(whole(*SWEEP, lucky, late), "instrument.n_units")
    assert found["recovery"].tolist() == [0.2, 0.5, 0.9]
    assert "left out: 15 of 45 cells" in found.attrs["cells"]


def test_a_value_that_was_met_in_other_settings_only_is_said_to_be_missing() -> None:
    found = sweep_curve(whole(*SWEEP, cells(10, **through(80, duration=60.0))), "instrument.n_units")
    assert found["instrument.n_units"].tolist() == [10, 20, 40]
    assert "no cells to compare at instrument.n_units = 80" in found.attrs["cells"]


def test_another_parameter_of_the_same_part_is_part_of_the_setting() -> None:
    noisy = [cells(0, **through(n, **{"instrument.noise": 1.0})) for n in (10, 20)]
    quiet = [table.assign(**{"instrument.noise": 0.0}) for table in SWEEP]
    found = sweep_curve(whole(*quiet, *noisy), "instrument.n_units")
    assert found["recovery"].tolist() == [0.2, 0.5, 0.9]


def test_a_parameter_that_changes_along_is_pooled_and_said_so() -> None:
    both = [t.assign(**{"instrument.noise": 1 / n}) for t, n in zip(SWEEP, (10, 20, 40), strict=True)]
    found = sweep_curve(whole(*both), "instrument.n_units")
    assert found["recovery"].tolist() == [0.2, 0.5, 0.9]
    assert "other parameters of the instrument change along" in found.attrs["cells"]


def test_abstentions_are_counted_apart_from_answers() -> None:
    silent = cells(2, **through(10))
    silent.loc[silent["subject"] >= 5, ["status", "recovered"]] = ["abstained", NAN]
    found = sweep_curve(whole(silent, *SWEEP[1:]), "instrument.n_units")
    assert found.loc[0, ["asked", "answered", "abstained", "n", "recovery"]].tolist() == [10, 5, 5, 5, 0.4]
    share = sweep_curve(whole(silent, *SWEEP[1:]), "instrument.n_units", "abstention")
    assert share["abstention"].tolist() == [0.5, 0, 0]


def test_a_methods_own_parameter_makes_one_line_of_its_variants() -> None:
    variants = [
        cells(right, method_label=f"glm(alpha={a}, lag={lag})", **{"method.alpha": a, "method.lag": lag})
        for right, a, lag in [(3, 0.1, 1), (7, 0.5, 1), (1, 0.1, 2), (2, 0.5, 2)]
    ]
    other = cells(5, method="corr", method_label="corr", **{"method.alpha": None, "method.lag": None})
    chance = cells(1, method="baseline:random", method_label="baseline:random", kind="baseline")
    found = sweep_curve(whole(*variants, other, chance), "method.alpha")
    assert found["method_label"].tolist() == ["glm(lag=1)"] * 2 + ["glm(lag=2)"] * 2
    assert found["method.alpha"].tolist() == [0.1, 0.5] * 2
    assert found["recovery"].tolist() == [0.3, 0.7, 0.1, 0.2]
    assert found["chance"].tolist() == [0.1] * 4
    assert "left out, having no method.alpha: corr" in found.attrs["cells"]


def test_chance_is_the_better_blind_baselines_in_the_same_settings_and_the_ceiling_that_of_ample_data() -> None:
    blind = [
        cells(right, method=f"baseline:{kind}", method_label=f"baseline:{kind}", kind="baseline", **through(n))
        for kind, n, right in [("random", 10, 1), ("marginals_only", 10, 3), ("random", 20, 2), ("oracle", 20, 10)]
    ]
    ample = cells(8, role="ceiling", instrument="perfect", instrument_label="perfect", duration=100.0)
    found = sweep_curve(whole(*SWEEP, *blind, ample), "instrument.n_units")
    assert found["chance"].tolist()[:2] == pytest.approx([0.3, 0.2])
    assert np.isnan(found["chance"][2])
    assert found["ceiling"].tolist() == [0.8] * 3


def net(n: int) -> dict[str, object]:
    return {"circuit_label": f"net(n={n})", "circuit.n": n, "n_neurons": n}


def test_a_rival_stands_where_the_circuit_stands_that_it_imitates() -> None:
    circuits = [cells(8, **net(n)) for n in (100, 200)]
    held = [rivals(fooled, twin=f"net(n={n})", circuit_label=f"twin({n})") for n, fooled in ((100, 2), (200, 6))]
    held = [table.assign(**{"circuit.n": NAN}) for table in held]
    found = sweep_curve(whole(*circuits, *held), "circuit.n", "false_recovery")
    assert found["circuit.n"].tolist() == [100, 200]
    assert found["false_recovery"].tolist() == [0.2, 0.6]
    gap = sweep_curve(whole(*circuits, *held), "circuit.n", "separation")
    assert gap["separation"].tolist() == pytest.approx([0.6, 0.2])


def test_failures_on_rivals_widen_the_interval_of_a_false_recovery() -> None:
    crashed = rivals(0, duration=9.0, status="error", subject=np.arange(10))
    crashed.loc[:4, ["status", "false_recovery"]] = ["ok", 0.0]
    table = whole(cells(5), cells(5, duration=9.0), rivals(0), crashed.assign(false_recovery=[0.0] * 5 + [NAN] * 5))
    found = sweep_curve(table, "duration", "false_recovery")
    assert found["false_recovery"].tolist() == [0, 0]
    assert found["false_recovery_high"][1] > 0.7 > found["false_recovery_high"][0]
    assert found.loc[1, ["asked", "answered", "abstained"]].tolist() == [10, 5, 0]


def test_a_sweep_of_words_keeps_the_experiments_order() -> None:
    table = whole(*(cells(r, instrument=name, instrument_label=name) for name, r in [("zap", 3), ("ant", 6)]))
    found = sweep_curve(table, "instrument")
    assert found["instrument"].tolist() == ["zap", "ant"]
    assert found["recovery"].tolist() == [0.3, 0.6]


def test_different_interventions_may_be_swept_at_one_number_of_pulses_and_the_other_way_round() -> None:
    active = {"kind": "active", "method": "push", "method_label": "push", "stimulator": "light"}
    table = whole(*(cells(r, budget_perturbations=p, budget_interventions=i, **active)
                    for r, p, i in [(1, 40.0, 2.0), (5, 40.0, 8.0), (9, 40.0, np.inf), (4, 10.0, 8.0)]))  # fmt: skip
    assert {"budget_perturbations", "budget_interventions"} <= set(varying(table))
    found = sweep_curve(table, "budget_interventions")
    assert found["recovery"].tolist() == [0.1, 0.5]
    assert found.attrs["label"] == "different interventions allowed"
    assert sweep_curve(table, "budget_perturbations")["recovery"].tolist() == [0.4, 0.5]


def test_units_that_an_instrument_drew_anew_in_each_subject_are_pooled_into_classes() -> None:
    drawn = cells(0, 40, instrument="probe", instrument_label="probe", n_units=np.arange(1, 41))
    found = sweep_curve(drawn.assign(recovered=(np.arange(40) >= 20).astype(float)), "n_units")
    assert len(found) == 5
    assert found["n"].tolist() == [8] * 5
    assert found["recovery"].tolist() == [0, 0, 0.5, 1, 1]


def test_pulses_minutes_and_stimulators_may_be_swept() -> None:
    active = {"kind": "active", "method": "push", "method_label": "push", "stimulator": "light"}
    pulses = [cells(r, budget_perturbations=b, stimulator_label=f"light({p})", **{"stimulator.power": p}, **active)
              for r, b, p in [(1, 2.0, 1.0), (6, 8.0, 1.0), (4, 2.0, 3.0)]]  # fmt: skip
    passive = [cells(3, stimulator=""), cells(9, stimulator="", duration=12.0)]
    table = whole(*pulses, *passive)
    assert {"budget_perturbations", "stimulator.power", "minutes", "duration"} <= set(varying(table))
    assert sweep_curve(table, "budget_perturbations")["recovery"].tolist() == [0.1, 0.6]
    assert sweep_curve(table, "stimulator.power")["recovery"].tolist() == [0.1, 0.4]
    minutes = sweep_curve(table, "minutes", methods=["glm"])
    assert minutes["minutes"].tolist() == pytest.approx([1 / 6, 2])
    assert minutes.attrs["label"] == "recording of each subject [min]"


def test_the_best_method_of_the_leaderboard_comes_first() -> None:
    worse = [table.assign(method="a", method_label="a", recovered=0.0) for table in SWEEP]
    assert list(dict.fromkeys(sweep_curve(whole(*worse, *SWEEP), "n_units")["method_label"])) == ["glm", "a"]


@pytest.mark.parametrize(
    ("over", "measure", "choice", "says"),
    [
        ("instrument.n_unit", "recovery", {}, "did you mean 'instrument.n_units'"),
        ("n_cells", "recovery", {}, "what varies is n_units, hidden_fraction, instrument.n_units"),
        ("duration", "recovery", {}, "duration does not vary in this run"),
        ("n_units", "recover", {}, "did you mean 'recovery'"),
        ("n_units", "mmc", {}, "did you mean 'mcc'"),
        ("n_units", "recovery", {"question": "topology"}, "this run asks connectivity"),
        ("n_units", "recovery", {"methods": ["gml"]}, "did you mean 'glm'"),
        ("n_units", "false_recovery", {}, "this run has no rivals"),
    ],
)
def test_a_mistake_is_answered_by_what_there_is(over: str, measure: str, choice: dict, says: str) -> None:
    with pytest.raises(SimlabError, match=says):
        sweep_curve(whole(*SWEEP), over, measure, **choice)


def test_a_leaderboard_for_each_instrument_and_amount_ranks_the_cells_of_each() -> None:
    boards = []
    for n, minutes, glm, corr in [(10, 1.0, 2, 6), (40, 1.0, 9, 7), (40, 9.0, 10, 10)]:
        where = through(n, duration=minutes * 6)
        other = where | {"method": "corr", "method_label": "corr"}
        boards += [cells(glm, **where), cells(corr, **other), rivals(1, **where)]
        boards += [rivals(10 if minutes == 9 else 0, **other)]
    ample = cells(10, role="ceiling", instrument="perfect", instrument_label="perfect", duration=500.0)
    found = leaderboards(whole(*boards, ample), ("instrument.n_units", "minutes"))
    assert list(found.columns[:3]) == ["instrument.n_units", "minutes", "question"]
    told = found[["instrument.n_units", "minutes", "method_label", "recovery"]].to_numpy().tolist()
    assert told == [
        [10, 1, "corr", 0.6], [10, 1, "glm", 0.2], [40, 1, "glm", 0.9], [40, 1, "corr", 0.7], [40, 9, "glm", 1.0],
        [40, 9, "corr", 1.0],
    ]  # fmt: skip
    assert found.query("method_label == 'glm'")["ceiling_recovery"].tolist() == [1.0] * 3
    with pytest.raises(SimlabError, match="did you mean 'minutes'"):
        leaderboards(whole(*boards), ("minute",))


def test_answered_and_asked_are_counted_apart() -> None:
    table = cells(4, 10)
    table.loc[4:5, ["status", "recovered"]] = ["abstained", NAN]
    table.loc[6:6, ["status", "recovered"]] = ["error", NAN]
    table.loc[7:7, "recovered"] = NAN  # the question has no answer there
    row = summarise(table).iloc[0]
    assert row[["asked", "answered", "abstained"]].tolist() == [9, 6, 2]
    assert (row["recovery_of_answered"], row["recovery_of_asked"]) == pytest.approx((4 / 6, 4 / 9))
    assert row["recovery"] == pytest.approx(4 / 7)  # a failure is no recovery
    silent = summarise(cells(0, 3, status="abstained", recovered=NAN)).iloc[0]
    assert np.isnan(silent["recovery_of_answered"])
    assert silent["recovery_of_asked"] == 0


def test_an_unlimited_budget_and_a_missing_value_have_no_place_on_an_axis() -> None:
    table = whole(cells(1, 2, budget_perturbations=np.inf), cells(1, 1, budget_perturbations=4.0))
    assert values_of(table, "budget_perturbations").isna().tolist() == [True, True, False]
