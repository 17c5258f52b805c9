"""Power curves, and how much data 80% recovery takes, on tables whose answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from simlab.contracts import SimlabError
from simlab.statistics.intervals import wilson
from simlab.statistics.power import data_for_recovery, power_curve


def table_of(rates: dict[float, float], n_subjects: int = 20, x: str = "n_units", **columns: object) -> pd.DataFrame:
    """The first rate x n_subjects subjects are recovered at each amount."""
    rows = [
        {"role": "circuit", "circuit": "c", "circuit_label": "c", "subject": subject, "question": "connectivity"}
        | {"method_label": "glm", "status": "ok", "recovered": float(subject < round(rate * n_subjects)), x: amount}
        for amount, rate in rates.items()
        for subject in range(n_subjects)
    ]
    return pd.DataFrame(rows).assign(**columns)


def needed(table: pd.DataFrame, x: str = "n_units", target: float = 0.8) -> pd.Series:
    return data_for_recovery(power_curve(table, x), target).iloc[0]


def test_a_curve_holds_the_rate_at_each_amount_with_its_interval() -> None:
    curve = power_curve(table_of({40: 0.9, 10: 0.25}), "n_units")
    assert list(curve["n_units"]) == [10, 40]
    assert list(curve["recovery"]) == [0.25, 0.9]
    assert list(curve["n_subjects"]) == [20, 20]
    assert (curve["recovery_low"][1], curve["recovery_high"][1]) == pytest.approx(wilson(18, 20))


def test_groups_have_curves_of_their_own() -> None:
    table = pd.concat([table_of({10: 0.5}), table_of({10: 1.0}, method_label="corr")])
    curve = power_curve(table, "n_units")
    assert dict(zip(curve["method_label"], curve["recovery"], strict=True)) == {"glm": 0.5, "corr": 1.0}


def test_abstentions_are_left_out_of_the_rate_and_counted_apart() -> None:
    table = table_of({10: 0.5})
    table.loc[table["subject"] >= 15, ["status", "recovered"]] = ["abstained", np.nan]
    point = power_curve(table, "n_units").iloc[0]
    assert (point["n"], point["abstention"]) == (15, 0.25)
    assert point["recovery"] == pytest.approx(10 / 15)


def test_errors_and_spent_budgets_are_no_recovery() -> None:
    table = table_of({10: 1.0})
    table.loc[table["subject"] < 4, ["status", "recovered"]] = ["error", np.nan]
    table.loc[table["subject"] == 4, ["status", "recovered"]] = ["over_budget", np.nan]
    assert power_curve(table, "n_units")["recovery"][0] == 15 / 20


def test_rivals_and_ceilings_stay_out_of_the_curve() -> None:
    table = pd.concat([table_of({10: 0.5}), table_of({10: 1.0}, role="rival"), table_of({10: 1.0}, role="ceiling")])
    assert power_curve(table, "n_units")["n"].tolist() == [20]


def test_seconds_and_hidden_fraction_are_derived() -> None:
    table = table_of({10: 0.5, 40: 1.0}, trials=100, duration=0.5, n_neurons=50)
    assert power_curve(table, "seconds")["seconds"].tolist() == [50.0]
    assert power_curve(table, "hidden_fraction")["hidden_fraction"].tolist() == pytest.approx([0.2, 0.8])


def test_an_unknown_amount_lists_what_there_is() -> None:
    with pytest.raises(SimlabError, match="hidden_fraction"):
        power_curve(table_of({10: 0.5}), "electrons")


def test_the_amount_is_interpolated_in_its_logarithm() -> None:
    found = needed(table_of({10: 0.2, 100: 0.6, 1000: 1.0}))
    assert found["amount"] == pytest.approx(10**2.5)  # halfway from .6 to 1
    assert found["verdict"] == "reached"
    assert 100 < found["low"] <= found["amount"] <= found["high"] <= 1000


def test_amounts_from_zero_are_interpolated_as_they_are() -> None:
    assert needed(table_of({0: 0.2, 10: 0.6, 20: 1.0}))["amount"] == pytest.approx(15)


def test_a_dip_is_pooled_by_the_monotone_fit() -> None:
    # .9 at 100 and .5 at 1000 pool to .7 at both; .8 is then a third of the way to 1, in the logarithm
    found = needed(table_of({10: 0.2, 100: 0.9, 1000: 0.5, 10000: 1.0}))
    assert found["amount"] == pytest.approx(10 ** (3 + 1 / 3))


def test_more_hidden_neurons_are_harder() -> None:
    table = table_of({40: 1.0, 30: 0.9, 20: 0.5, 10: 0.1}, n_neurons=50)  # hidden .2, .4, .6, .8
    found = needed(table, "hidden_fraction")
    # .8 is a quarter of the way from .9 at .4 to .5 at .6, in the logarithm
    assert found["amount"] == pytest.approx(np.exp(0.75 * np.log(0.4) + 0.25 * np.log(0.6)))
    assert found["low"] <= found["amount"] <= found["high"]


def test_a_target_that_is_not_reached_says_so() -> None:
    found = needed(table_of({10: 0.1, 100: 0.3}))
    assert (found["amount"], found["high"], found["verdict"]) == (np.inf, np.inf, "not reached")
    hidden = needed(table_of({40: 0.2, 10: 0.1}, n_neurons=50), "hidden_fraction")
    assert (hidden["amount"], hidden["low"], hidden["verdict"]) == (-np.inf, -np.inf, "not reached")


def test_a_target_exceeded_from_the_start_says_so() -> None:
    found = needed(table_of({10: 0.95, 100: 1.0}))
    assert np.isnan(found["amount"])
    assert found["low"] == 10  # what was tried says no more
    assert found["verdict"] == "exceeded throughout"


def test_a_method_that_only_abstains_needs_an_unknown_amount() -> None:
    found = needed(table_of({10: 0.5}, status="abstained", recovered=np.nan))
    assert np.isnan(found["amount"])
    assert found["verdict"] == "no answers"


def test_each_group_gets_its_own_amount() -> None:
    table = pd.concat([table_of({10: 0.6, 1000: 1.0}), table_of({10: 0.0, 1000: 0.1}, method_label="corr")])
    found = data_for_recovery(power_curve(table, "n_units")).set_index("method_label")["amount"]
    assert found["glm"] == pytest.approx(100)
    assert found["corr"] == np.inf


def test_an_impossible_target_is_refused() -> None:
    with pytest.raises(SimlabError, match="80"):
        needed(table_of({10: 0.5}), target=80)


def test_the_interval_of_the_amount_covers_it() -> None:
    rng, rates, covered = np.random.default_rng(0), {10: 0.1, 30: 0.3, 100: 0.6, 300: 0.9, 1000: 0.95}, []
    truth = np.exp(np.log(100) + (0.8 - 0.6) / 0.3 * np.log(3))
    for _ in range(100):
        table = table_of(rates)
        chance = table["n_units"].map(rates).to_numpy()
        table["recovered"] = (rng.random(len(table)) < chance).astype(float)
        found = data_for_recovery(power_curve(table, "n_units"), rng=rng, n=200).iloc[0]
        covered.append(found["low"] <= truth <= found["high"])
    # nominal .95; percentile intervals of an isotonic fit on 20 subjects run a few per cent short of that
    # (Sen, Banerjee & Woodroofe 2010): .92 +- .08, three standard errors of 100 runs
    assert np.mean(covered) == pytest.approx(0.92, abs=0.08)


def two_agreeing(n: int) -> pd.DataFrame:
    """n subjects, none of them recovered from 10, all of them from 40."""
    parts = [(10.0, 0.0), (40.0, 1.0)]
    return pd.concat(
        pd.DataFrame({
            "role": "circuit", "circuit": "net", "circuit_label": "net", "subject": range(n), "status": "ok",
            "question": "connectivity", "method": "m", "method_label": "m", "recovered": right, "n_units": amount,
        })
        for amount, right in parts
    )  # fmt: skip


@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_subjects_that_all_agree_give_no_interval_of_zero_width(n: int) -> None:
    found = data_for_recovery(power_curve(two_agreeing(n), "n_units"), 0.8).iloc[0]
    # the rate's Wilson interval at 10 is [0, u] and at 40 [1 - u, 1], with u = z^2 / (n + z^2): the target lies
    # between the amount at which the line from u to 1 crosses it (the smallest tried if u > 0.8), and that of the line
    # from 0 to 1 - u
    u = 1.96**2 / (n + 1.96**2)
    low = 10 * 4 ** ((0.8 - u) / (1 - u)) if u < 0.8 else 10
    high = 10 * 4 ** (0.8 / (1 - u)) if 1 - u > 0.8 else np.inf
    assert (found["low"], found["high"]) == pytest.approx((low, high), rel=1e-3)
    assert found["low"] < found["amount"] < found["high"]
    assert found["amount"] == pytest.approx(10 * 4**0.8)
