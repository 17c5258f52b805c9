"""Comparisons, each with its interval: of circuit and rival, of two conditions, of the best of several methods.

Subjects are resampled, never cells: a subject that is drawn twice is drawn twice for every method and condition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.statistics.intervals import FEWEST, bootstrap
from simlab.statistics.measured import NAN, Measured, chosen, difference, either_way, mean, rate, share
from simlab.statistics.verdicts import FATES, counted, failed, separated, subject_of
from simlab.streams import stream

if TYPE_CHECKING:
    import pandas as pd

RATES = ("recovered", "false_recovery", "abstained", "error", "over_budget")

PAIRED_BY = ("role", "circuit", "circuit_label", "subject", "trials", "duration", "instrument", "instrument_label")
"""What two cells of a pair have in common, except where a condition names it."""

ALONE = "no subject gave a verdict in both conditions in the same setting"
"""Why two conditions cannot be compared."""

NAMED_WITH = {
    "circuit": ("circuit_label",), "instrument": ("instrument_label",), "trials": ("duration",), "duration": ("trials",)
}  # fmt: skip
"""What differs by its nature between two circuits, instruments or plans, and so is no part of the pair either."""


def separation(table: pd.DataFrame, method: str | None = None, **conditions: Any) -> Measured:
    """Recovery on the circuit minus false recovery on its rivals (Youden's J): 1 tells them apart, 0 cannot.

    Abstentions separate nothing: they count as 0 on their side. Failures recover nothing on the circuit; on rivals
    they are left out, and the interval is as wide as it would be whichever way they had gone. The interval combines
    Wilson's of both rates (Newcombe 1998). NaN unless both circuit and rival gave verdicts.
    """
    rows = chosen(table, **conditions, **({} if method is None else {"method": method}))
    falls = [separated(rows, fate)[1] for fate in FATES]
    return youden(separated(rows)[0], falls, subject_of(rows), method or "the method")


def youden(hits: Any, falls: Sequence[Any], subjects: Any, who: str = "the method") -> Measured:
    """`separation` from the verdicts on its cells (`separated`): falls for each of `FATES`; subjects (cell,)."""
    found = share(hits, subjects)
    wrong = either_way(*(share(values, subjects) for values in falls))
    if not found.n or not wrong.n:
        return Measured(NAN, detail=f"{who} gave no verdict on both circuit and rival")
    return difference(found, wrong)


def paired_difference(
    table: pd.DataFrame, column: str, first: Mapping[str, Any], second: Mapping[str, Any], **conditions: Any
) -> Measured:
    """`column` under the conditions `first` minus under `second`, in the same subjects and settings.

    first, second: columns and their values, as for `chosen`; conditions: what holds for both, such as
    `paired_difference(table, "auroc", {"duration": 4.0}, {"duration": 1.0}, method="coupling_glm")`. Pairs agree in
    role, circuit, subject, plan and instrument, but for what `first` or `second` name; a pair counts where both cells
    do, each subject once. The interval is a bootstrap over subjects; where the differences of a rate all agree, it
    combines Wilson's of both rates. Of `false_recovery`, it is as wide as whichever way failures had gone.
    """
    sides, keys = _sides(table, first, second, conditions)
    figure = _paired(sides, column, keys, (NAN, NAN))
    if column != "false_recovery":
        return figure
    return either_way(figure, *(_paired(sides, column, keys, fates) for fates in ((0.0, 1.0), (1.0, 0.0))))


def paired_ratio(
    table: pd.DataFrame, column: str, first: Mapping[str, Any], second: Mapping[str, Any], **conditions: Any
) -> Measured:
    """The mean over subjects of `column` under the conditions `first` over that under `second`, with its interval.

    What is paired with what: see `paired_difference`. The interval is a bootstrap over subjects.
    """
    sides, keys = _sides(table, first, second, conditions)
    pairs = _Pairs.of(sides, column, keys)
    if pairs.cells.empty:
        return Measured(NAN, detail=ALONE)
    ratio = (pairs.subjects["first"] / pairs.subjects["second"]).to_numpy()
    low, high = bootstrap(ratio)
    return Measured(float(ratio.mean()), low, high, 2 * len(pairs.cells), pairs.words)


def _sides(
    table: pd.DataFrame, first: Mapping[str, Any], second: Mapping[str, Any], conditions: Mapping[str, Any]
) -> tuple[list[pd.DataFrame], list[str]]:
    """The rows under either condition, and the columns by which they are paired."""
    rows = chosen(table, **conditions)
    named = {name for column in (*first, *second) for name in (column, *NAMED_WITH.get(column, ()))}
    keys = [key for key in PAIRED_BY if key in rows and key not in named]
    return [chosen(rows, **dict(side)) for side in (first, second)], keys


@dataclass(frozen=True)
class _Pairs:
    """Values under two conditions, columns `first` and `second`: of each pair of cells, and of each subject."""

    cells: pd.DataFrame
    subjects: pd.DataFrame
    individual: list[str]  # what names a subject

    @classmethod
    def of(
        cls, sides: Sequence[pd.DataFrame], column: str, keys: list[str], fates: tuple[float, float] = (NAN, NAN)
    ) -> _Pairs:
        """Those in which both cells count, given what failures count as on either side."""
        values = [
            side.assign(_value=counted(side, column, failures=fate)).groupby(keys)["_value"].mean().dropna()
            for side, fate in zip(sides, fates, strict=True)
        ]
        cells = values[0].to_frame("first").join(values[1].rename("second"), how="inner")
        individual = [key for key in keys if key.startswith("circuit") or key == "subject"]
        return cls(cells, cells.groupby(level=individual).mean(), individual)

    @property
    def words(self) -> str:
        """Both means."""
        return f"{self.subjects['first'].mean():.3g} against {self.subjects['second'].mean():.3g}"


def _paired(sides: Sequence[pd.DataFrame], column: str, keys: list[str], fates: tuple[float, float]) -> Measured:
    pairs = _Pairs.of(sides, column, keys, fates)
    both, words, n = pairs.cells, pairs.words, 2 * len(pairs.cells)
    if both.empty:
        return Measured(NAN, detail=ALONE)
    gaps = (pairs.subjects["first"] - pairs.subjects["second"]).to_numpy()
    if np.ptp(gaps) == 0 and both.isin((0.0, 1.0)).all(axis=None):
        names = both.index.to_frame().reset_index(drop=True)[pairs.individual]
        subjects = names.astype(str).agg("#".join, axis=1)
        ends = [share(both[side].reset_index(drop=True), subjects) for side in both]
        return replace(difference(*ends), value=float(gaps.mean()), n=n, detail=words)
    low, high = bootstrap(gaps)
    return Measured(float(gaps.mean()), low, high, n, words)


def best_of(
    table: pd.DataFrame,
    methods: Sequence[str],
    figure: str = "separation",
    *,
    by: str = "method",
    n: int = 2000,
    **conditions: Any,
) -> Measured:
    """The largest `figure` of several methods, with the interval of a maximum.

    figure: `separation`, or a column, as for `rate` and `mean`; methods: values of the column `by` (`method_label` for
    variants of one method). The best of several is best by luck as well, so that its own interval will not do.
    Subjects are resampled `n` times within each circuit, every method's figure is computed anew in each resample, and
    the maximum is taken: the largest surplus over their figures that several methods reach by luck (97.5% quantile)
    comes off the lower end; the upper end is the largest of the methods' own (97.5% percentiles). With equally good
    methods the percentiles of the resampled maximum itself, which luck raises twice, cover it in 27 to 82 of 100 cases;
    this in 97. A method that never varies lends its own interval (Wilson's). NaN where one of them gave no verdict.
    """
    rows = chosen(table, **conditions, **{by: tuple(methods)})
    each = {method: _alone(rows, method, by, figure) for method in methods}
    if missing := [method for method, found in each.items() if found.value != found.value]:
        return Measured(NAN, detail=f"no verdict of {', '.join(missing)}")
    best = max(each, key=lambda method: each[method].value)
    found = replace(each[best], n=len(rows), detail=f"{best} of {len(each)}: {each[best].detail}".rstrip(": "))
    subjects, index = np.unique(subject_of(rows).to_numpy(), return_inverse=True)
    weights = _resampled(np.array([name.rpartition("#")[0] for name in subjects]), n)
    if weights is None:
        return replace(found, low=NAN, high=NAN)
    names = rows[by].to_numpy()
    ends = []
    for fate in _fates(rows, figure):
        draw = partial(_figures, rows, names, methods, figure, index, fate)
        ends.append(_ends_of_maximum(draw(np.ones((1, len(subjects))))[:, 0], draw(weights), list(each.values())))
    low, high = np.array(ends).T
    return replace(found, low=float(low.min()), high=float(high.max()))


def _ends_of_maximum(point: np.ndarray, draws: np.ndarray, own: list[Measured]) -> tuple[float, float]:
    """Interval of the largest of `point` (method,), from its resamples `draws` (method, n); own: each by itself."""
    luck = np.quantile(np.nanmax(draws - point[:, None], axis=0), 0.975)
    upper = np.nanquantile(draws, 0.975, axis=1)
    still = np.ptp(draws, axis=1) == 0
    best = int(np.argmax(point))
    low = point[best] - luck
    return min(low, own[best].low) if still[best] else low, max(np.where(still, [m.high for m in own], upper))


def _fates(rows: pd.DataFrame, figure: str) -> tuple[float, ...]:
    """What failures on rivals count as: left out, and either way if there are any."""
    bounded = figure in ("separation", "false_recovery") and bool((failed(rows) & (rows["role"] == "rival")).any())
    return FATES if bounded else FATES[:1]


def _alone(rows: pd.DataFrame, method: str, by: str, figure: str) -> Measured:
    own = rows[rows[by] == method]
    if figure == "separation":
        return separation(own)
    return rate(own, figure) if figure in RATES else mean(own, figure)


def _resampled(strata: np.ndarray, n: int) -> np.ndarray | None:
    """How often each subject is drawn in each resample (n, subject), within strata; None if one has too few."""
    rng = stream("simlab", "best_of")
    weights = np.zeros((n, len(strata)))
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        if len(members) < FEWEST:
            return None
        weights[:, members] = rng.multinomial(len(members), np.full(len(members), 1 / len(members)), size=n)
    return weights


def _figures(
    rows: pd.DataFrame,
    names: np.ndarray,
    methods: Sequence[str],
    figure: str,
    subject: np.ndarray,
    fate: float,
    weights: np.ndarray,
) -> np.ndarray:
    """The figure of each method in each resample (method, n)."""
    if figure == "separation":
        hits, falls = separated(rows, fate)
        parts = [(1.0, hits.to_numpy()), (-1.0, falls.to_numpy())]
    else:
        parts = [(1.0, counted(rows, figure, failures=fate).to_numpy())]
    size = weights.shape[1]
    figures = []
    for method in methods:
        total = np.zeros(len(weights))
        for sign, values in parts:
            known = (names == method) & ~np.isnan(values)
            sums = np.bincount(subject[known], weights=values[known], minlength=size)
            counts = np.bincount(subject[known], minlength=size)
            with np.errstate(invalid="ignore"):
                total += sign * (weights @ sums) / (weights @ counts)
        figures.append(total)
    return np.array(figures)
