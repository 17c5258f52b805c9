"""How much data an answer takes: recovery against an amount, and the amount at which it reaches a target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.contracts import SimlabError
from simlab.statistics.amounts import amount
from simlab.statistics.grouping import groups
from simlab.statistics.intervals import FEWEST, clustered_wilson
from simlab.statistics.verdicts import abstained, recovered, subject_of
from simlab.streams import stream

if TYPE_CHECKING:
    import pandas as pd

DECREASING = ("hidden_fraction",)
"""Amounts of which more makes an answer harder."""


def power_curve(table: pd.DataFrame, x: str, by: Sequence[str] = ("question", "method_label")) -> pd.DataFrame:
    """Recovery against the amount `x`, within each group of `by`: one row per group and value of `x`, sorted.

    Columns: those of `by`, `x`, then n (answers that count), n_subjects, recovery with its Wilson 95% interval
    (`recovery_low`, `recovery_high`), abstention (the rate of it, of all cells; abstentions are not in n), and
    `by_subject`: a tuple of (subject, successes, answers), which `data_for_recovery` resamples. Cells of role
    "circuit" count; an error or an exhausted budget is no recovery.
    """
    import pandas as pd

    cells = table[table["role"] == "circuit"]
    cells = cells.assign(**{x: amount(cells, x)})
    right, refused = recovered(cells).to_numpy(), abstained(cells).to_numpy()
    subject, names = pd.factorize(subject_of(cells), sort=True)
    keys = [*by, x]
    rows = []
    for values, own in groups(cells, keys):
        told = own[~np.isnan(right[own])]
        rows.append(values | _point(right[told], subject[told], names) | {"abstention": float(refused[own].mean())})
    columns = [*keys, "n", "n_subjects", "recovery", "recovery_low", "recovery_high", "abstention", "by_subject"]
    return pd.DataFrame(rows, columns=columns)


def _point(right: np.ndarray, subject: np.ndarray, names: pd.Index) -> dict[str, Any]:
    """Of answers that were right or not (answer,), and the subjects that they are of (answer,), places in `names`."""
    low, high = clustered_wilson(right, subject)
    there, which = np.unique(subject, return_inverse=True)
    successes, answers = np.bincount(which, weights=right), np.bincount(which)
    return {
        "n": len(right),
        "n_subjects": len(there),
        "recovery": float(right.mean()) if len(right) else float("nan"),
        "recovery_low": low,
        "recovery_high": high,
        "by_subject": tuple(zip(names[there], successes.tolist(), answers.tolist(), strict=True)),
    }


def data_for_recovery(
    curve: pd.DataFrame,
    target: float = 0.8,
    *,
    rng: np.random.Generator | None = None,
    n: int = 1000,
    level: float = 0.95,
) -> pd.DataFrame:
    """How much of the curve's amount a recovery rate of `target` takes, one row per group of a `power_curve`.

    A monotone (isotonic) fit, weighted by the number of answers, is interpolated linearly in log(amount), or in
    the amount itself where some are not positive. Columns: the group's, `target`, `amount`, `low`, `high`
    (percentile bootstrap over subjects; where these all agree, or are fewer than three, where the ends of the rates'
    Wilson intervals cross the target) and `verdict`: "reached"; "not reached", with an infinite amount (minus
    infinity where more is harder, as for `hidden_fraction`); "exceeded throughout", with amount NaN, as the hardest
    amount tried is enough; "no answers", likewise NaN. An end of the interval beyond what was tried is infinite, or
    else that hardest amount. Raises SimlabError unless 0 < target <= 1.
    """
    import pandas as pd

    if not 0 < target <= 1:
        raise SimlabError(f"the target must be a recovery rate in (0, 1], got {target}")
    keys = list(curve.columns[: list(curve.columns).index("n")])
    by, x = keys[:-1], keys[-1]
    rng = stream("simlab", "data_for_recovery") if rng is None else rng
    groups = curve.groupby(by, sort=True, dropna=False) if by else [((), curve)]
    rows = []
    for values, group in groups:
        found = _needed(group, x, target, rng, n, level)
        rows.append(dict(zip(by, values, strict=True)) | {"target": target} | found)
    return pd.DataFrame(rows, columns=[*by, "target", "amount", "low", "high", "verdict"])


def _needed(
    group: pd.DataFrame, x: str, target: float, rng: np.random.Generator, n: int, level: float
) -> dict[str, Any]:
    amounts, right, answers = _by_subject(group, x)
    sign = -1.0 if x in DECREASING else 1.0
    if not answers.any():
        return {"amount": np.nan, "low": np.nan, "high": np.nan, "verdict": "no answers"}
    point = crossing(amounts, right.sum(axis=0), answers.sum(axis=0), target, sign)
    weights = rng.multinomial(len(right), np.full(len(right), 1 / len(right)), size=n)
    drawn = np.concatenate([weights @ right, weights @ answers], axis=1)
    drawn = drawn[drawn[:, len(amounts) :].any(axis=1)]
    different, often = np.unique(drawn, axis=0, return_counts=True)  # few subjects give the same draws many times
    k = len(amounts)
    found = [crossing(amounts, draw[:k], draw[k:], target, sign) for draw in different]
    replicates = np.repeat(found, often)
    ends = np.sort(np.clip(replicates, *_range(amounts, sign)))
    low, high = (ends[_rank(q, len(ends))] for q in ((1 - level) / 2, (1 + level) / 2))
    if low == high or len(right) < FEWEST:
        low, high = _ends_by_rates(group.sort_values(x), amounts, answers.sum(axis=0), target, sign)
    if np.isinf(point):
        reached = point != sign * np.inf
        verdict = "exceeded throughout" if reached else "not reached"
        return {"amount": np.nan if reached else point, "low": low, "high": high, "verdict": verdict}
    return {"amount": point, "low": low, "high": high, "verdict": "reached"}


def _ends_by_rates(
    group: pd.DataFrame, amounts: np.ndarray, answers: np.ndarray, target: float, sign: float
) -> tuple[float, float]:
    """Where the upper and the lower ends of the rates' own (Wilson's) intervals cross the target.

    Resampling subjects that all agree, or are fewer than three, gives no interval, or one without width.
    """
    ends = [
        crossing(amounts, np.nan_to_num(group[end].to_numpy(dtype=float)) * answers, answers, target, sign)
        for end in ("recovery_low", "recovery_high")
    ]
    low, high = np.clip(np.sort(ends), *_range(amounts, sign))
    return float(low), float(high)


def _rank(q: float, n: int) -> int:
    """Index of the q-quantile in a sorted sample, with no interpolation: between 1 s and infinity there is none."""
    return int(np.clip(np.ceil(q * n) - 1, 0, n - 1))


def _range(amounts: np.ndarray, sign: float) -> tuple[float, float]:
    """What an interval may span: from the hardest amount tried, which may be more than enough, to never."""
    return (float(amounts.min()), np.inf) if sign > 0 else (-np.inf, float(amounts.max()))


def _by_subject(group: pd.DataFrame, x: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Amounts (amount,), and successes and answers, each (subject, amount)."""
    group = group.sort_values(x)
    subjects = sorted({subject for point in group["by_subject"] for subject, _, _ in point})
    index = {subject: i for i, subject in enumerate(subjects)}
    right, answers = (np.zeros((len(subjects), len(group))) for _ in range(2))
    for column, point in enumerate(group["by_subject"]):
        for subject, successes, asked in point:
            right[index[subject], column] += successes
            answers[index[subject], column] += asked
    return group[x].to_numpy(dtype=float), right, answers


def crossing(amounts: np.ndarray, right: np.ndarray, answers: np.ndarray, target: float, sign: float = 1.0) -> float:
    """Where the monotone fit of right/answers (amount,) first reaches `target` on the way up.

    `sign` +1: recovery rises with the amount, -1: it falls. sign x infinity if the target is never reached, the
    opposite infinity if it is already exceeded at the amount that should be hardest.
    """
    from scipy.optimize import isotonic_regression

    seen = answers > 0
    order = np.argsort(sign * amounts[seen], kind="stable")
    at, counts = amounts[seen][order], answers[seen][order]
    fit = isotonic_regression(right[seen][order] / counts, weights=counts).x
    reached = np.flatnonzero(fit >= target - 1e-12)
    if reached.size == 0:
        return sign * np.inf
    first = reached[0]
    if first == 0:
        return -sign * np.inf
    scale = np.log if (at > 0).all() else np.asarray
    before, after = (float(scale(at[i])) for i in (first - 1, first))
    share = (target - fit[first - 1]) / (fit[first] - fit[first - 1])
    between = before + share * (after - before)
    return float(np.exp(between)) if scale is np.log else between
