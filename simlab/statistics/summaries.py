"""What a results table says: recovery with its interval, false recovery, abstention, chance, ceiling, calibration.

The table has one row per cell. Roles: "circuit" cells give recovery, "rival" cells false recovery, and "ceiling"
cells what the same method does with the perfect instrument and ample data. What a cell counts as is decided in
`simlab.statistics.verdicts`. Whether groups may be compared is the caller's affair: `leaderboard` sees to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.statistics.comparison import youden
from simlab.statistics.confidence import earned
from simlab.statistics.grouping import Found, groups
from simlab.statistics.intervals import mean_interval, means_by_subject
from simlab.statistics.judged import Judged, judged
from simlab.statistics.measured import share
from simlab.statistics.verdicts import BLIND, counted

if TYPE_CHECKING:
    import pandas as pd

CEILING_KEYS = ("experiment", "question", "circuit", "circuit_label", "method", "method_label", "kind")
"""What a cell has in common with its ceiling, besides `circuit.*` and `method.*`; instrument and amount differ."""

NAN = float("nan")


def headline_of(question: str) -> str:
    """The metric that stands for a question on a leaderboard: `recovered` for one that is not registered here.

    A run that was made elsewhere, by a notebook's own question, must still be readable.
    """
    from simlab.registry import get, names

    return get("questions", question).headline if question in names("questions") else "recovered"


def error_metric_of(question: str) -> str:
    """The metric that holds the false share of what is decided; "" where the question declares none."""
    from simlab.registry import get, names

    return getattr(get("questions", question), "error_metric", "") if question in names("questions") else ""


def summarise(table: pd.DataFrame, by: Sequence[str] = ("method_label",)) -> pd.DataFrame:
    """One row per group of cells that agree on `by` (to which `question` is always added).

    Columns, after those of `by`:
    - asked, answered, abstained: circuit cells in which the question was asked, was answered, was refused (the rest
      failed); recovery_of_answered and recovery_of_asked: the share of those, and of these, that was recovered
    - n (circuit cells), n_answers (those that count: answers and failures), n_subjects; recovery, the share of
      n_answers that was recovered, with `recovery_low`, `recovery_high` (Wilson 95%, widened where subjects gave
      several cells); abstention, error_rate, over_budget (of circuit cells)
    - false_recovery with its interval, n_rival, n_rival_answers (those that count), rival_abstention,
      rival_error_rate, rival_over_budget (of rival cells); failures are left out of false_recovery, and
      false_recovery_least and false_recovery_most are what it would be were they all not fooled, or all fooled
    - separation with its interval: recovery minus false recovery, abstentions as 0 (Youden's J; NaN without rivals)
    - metric (the headline's name), value with its interval (over subjects' means), chance, blind (value of the better
      blind baseline), chance_recovery (its recovery)
    - ceiling, ceiling_recovery and ceiling_n (the same method on the same circuits, perfect instrument, ample data)
    - brier, calibration_error, n_confidence; trials, perturbations, interventions, seconds (spent, mean per cell),
      seconds_analysis
    NaN where there are no cells to tell. Groups that hold only ceiling cells are left out.
    """
    import pandas as pd

    keys = list(dict.fromkeys(["question", *by]))
    verdicts, costs = judged(table), _costs(table)
    headlines = _headlines(table, verdicts.subject)
    confidence = table["confidence"].to_numpy(dtype=float)
    blind = _blind(table, [k for k in keys if not k.startswith("method") and k != "kind"], verdicts, headlines)
    ample = _ample(table, [k for k in keys if k in CEILING_KEYS or k.startswith(("circuit.", "method."))])
    rows = []
    for values, cells in groups(table, keys, table["role"] != "ceiling"):
        headline = headlines[values["question"]]
        circuits, rivals = verdicts.of("circuit", cells), verdicts.of("rival", cells)
        rows.append(
            values
            | _recovery(verdicts, circuits)
            | _false_recovery(verdicts, rivals)
            | _separation(verdicts, cells)
            | headline.figures(circuits)
            | blind.get(values)
            | _ceiling(headline, verdicts, verdicts.on_circuits_of(ample.get(values), circuits))
            | earned(confidence[cells], verdicts.right[cells])
            | {name: _mean(cost[circuits if len(circuits) else rivals]) for name, cost in costs.items()}
        )
    return pd.DataFrame(rows, columns=None if rows else keys)


def _recovery(verdicts: Judged, cells: np.ndarray) -> dict[str, Any]:
    recovered, subjects = verdicts.recovered[cells], verdicts.subject[cells]
    found, hits = share(recovered, subjects), np.nansum(recovered)
    asked, settled = int(verdicts.asked[cells].sum()), int(verdicts.settled[cells].sum())
    return {
        "asked": asked,
        "answered": settled,
        "abstained": int(verdicts.abstained[cells].sum()),
        "recovery_of_answered": hits / settled if settled else NAN,
        "recovery_of_asked": hits / asked if asked else NAN,
        "n": len(cells),
        "n_answers": int(verdicts.answered[cells].sum()),
        "n_subjects": len(np.unique(subjects)),
        "recovery": found.value,
        "recovery_low": found.low,
        "recovery_high": found.high,
        "abstention": _mean(verdicts.abstained[cells]),
        "error_rate": _mean(verdicts.error[cells]),
        "over_budget": _mean(verdicts.over_budget[cells]),
    }


def _false_recovery(verdicts: Judged, cells: np.ndarray) -> dict[str, Any]:
    left_out, least, most = (fooled[cells] for fooled in verdicts.fooled)
    found = share(left_out, verdicts.subject[cells])
    return {
        "false_recovery": found.value,
        "false_recovery_low": found.low,
        "false_recovery_high": found.high,
        "false_recovery_least": _mean(least),
        "false_recovery_most": _mean(most),
        "n_rival": len(cells),
        "n_rival_answers": found.n,
        "rival_abstention": _mean(verdicts.abstained[cells]),
        "rival_error_rate": _mean(verdicts.error[cells]),
        "rival_over_budget": _mean(verdicts.over_budget[cells]),
    }


def _separation(verdicts: Judged, cells: np.ndarray) -> dict[str, float]:
    found = youden(verdicts.hits[cells], [falls[cells] for falls in verdicts.falls], verdicts.subject[cells])
    return {"separation": found.value, "separation_low": found.low, "separation_high": found.high}


@dataclass(frozen=True)
class Headline:
    """The metric of a question in each cell (NaN where there is none), its analytic chance, and whether it counts.

    In a mean each subject counts once, as it does in the interval, however many cells its circuit gave.
    """

    metric: str
    values: np.ndarray
    chance: np.ndarray
    counts: np.ndarray
    subject: np.ndarray

    def mean(self, cells: np.ndarray) -> float:
        """Over those of the cells that count."""
        return self._mean(self.values, cells[self.counts[cells]])

    def figures(self, cells: np.ndarray) -> dict[str, Any]:
        """The mean over these cells with its interval over subjects, and chance; NaN where none of them counts."""
        told = cells[self.counts[cells]]
        low, high = mean_interval(self.values[told], self.subject[told]) if len(told) else (NAN, NAN)
        value, chance = self._mean(self.values, told), self._mean(self.chance, told)
        return {"metric": self.metric, "value": value, "value_low": low, "value_high": high, "chance": chance}

    def _mean(self, values: np.ndarray, cells: np.ndarray) -> float:
        known = cells[~np.isnan(values[cells])]
        return _mean(means_by_subject(values[known], self.subject[known]))


def _headlines(table: pd.DataFrame, subject: np.ndarray) -> dict[str, Headline]:
    """The headline of each question of the table."""
    found, nowhere = {}, np.full(len(table), NAN)
    for question in table["question"].unique():
        metric = headline_of(question)
        values, chance = (
            table[name].to_numpy(dtype=float) if name in table else nowhere for name in (metric, f"chance_{metric}")
        )
        counts = counted(table, metric).notna().to_numpy() if metric in table else nowhere == nowhere
        found[question] = Headline(metric, values, chance, counts, subject)
    return found


def effective_chance(table: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """What is had without looking at interactions: the better of the blind baselines, `random` and `marginals_only`.

    One row per group of `by` and `question`: blind (headline metric), chance_recovery (recovery rate).
    """
    import pandas as pd

    keys = list(dict.fromkeys(["question", *by]))
    verdicts = judged(table)
    found = _blind(table, keys, verdicts, _headlines(table, verdicts.subject))
    rows = [values | figures for values, figures in found.items()]
    return pd.DataFrame(rows, columns=[*keys, "blind", "chance_recovery"])


def _blind(table: pd.DataFrame, keys: list[str], verdicts: Judged, headlines: dict[str, Headline]) -> Found:
    found = Found(keys, {"blind": NAN, "chance_recovery": NAN})
    method = table["method"].to_numpy(dtype=object)
    for values, cells in groups(table, keys, table["method"].isin(BLIND) & (table["role"] == "circuit")):
        each = [cells[method[cells] == baseline] for baseline in BLIND]
        value = [headlines[values["question"]].mean(own) for own in each]
        recovery = [_mean(verdicts.recovered[own]) for own in each]
        found.put(values, {"blind": _best(value), "chance_recovery": _best(recovery)})
    return found


def _best(values: list[float]) -> float:
    known = [v for v in values if v == v]
    return max(known, default=NAN)


def _ample(table: pd.DataFrame, keys: list[str]) -> Found:
    """The cells with ample data that share these values."""
    found = Found(keys, np.array([], dtype=int))
    for values, cells in groups(table, keys, table["role"] == "ceiling"):
        found.put(values, cells)
    return found


def _ceiling(headline: Headline, verdicts: Judged, cells: np.ndarray) -> dict[str, Any]:
    recovery = _mean(verdicts.recovered[cells])
    return {"ceiling": headline.mean(cells), "ceiling_recovery": recovery, "ceiling_n": len(cells)}


def _costs(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """What each cell cost; a passive method, which states no expense, spends its plan."""
    seconds = table["trials"] * table["duration"]
    plan = {"trials": table["trials"], "perturbations": 0.0, "interventions": 0.0, "seconds": seconds}
    passive = table["kind"] != "active"
    spent = {name: table.get(f"spent_{name}", table["trials"] * NAN) for name in plan}
    costs = {name: spent[name].mask(passive & spent[name].isna(), plan[name]) for name in plan}
    costs["seconds_analysis"] = table.get("seconds_analysis", table["trials"] * NAN)
    return {name: cost.to_numpy(dtype=float) for name, cost in costs.items()}


def _mean(values: Any) -> float:
    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    return float(known.mean()) if known.size else NAN
