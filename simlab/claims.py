"""Claims: statements that an experiment's results must bear out, and the figures that they are measured on.

    from simlab.claims import Claim, rate

    Claim("correlation_is_fooled", "It claims wiring in most recordings of ...", "de la Rocha et al. 2007",
          lambda table: rate(table, "false_recovery", method="spike_count_correlation"), band=(0.5, 1.0))

The measuring functions (`rate`, `mean`, `separation`, `difference`, `paired_difference`, `paired_ratio`, `best_of`)
take the table of results and the columns that choose its rows, and return a `Measured`: the figure with its 95%
interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from simlab.rules import Spelled, check_fields, require
from simlab.statistics.comparison import best_of, paired_difference, paired_ratio, separation
from simlab.statistics.measured import Measured, chosen, difference, mean, rate
from simlab.statistics.nulls import null_errors, worst_null

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Claim", "ClaimResult", "ClaimResults", "Measured", "best_of", "chosen", "difference", "mean",
    "null_errors", "oracle_recovers", "paired_difference", "paired_ratio", "rate", "separation", "with_answers",
    "worst_null",
]  # fmt: skip


Answer = Callable[[str], "tuple[Mapping[str, Any], Any] | None"]
"""Estimate and projected truth of a cell, by the `cell` of its line; None where it gave no answer."""


def _no_answer(cell: str) -> None:
    return None


def with_answers(
    table: pd.DataFrame, answer: Answer, column: str, figure: Callable[[Any, Any], float], **conditions: Any
) -> pd.DataFrame:
    """The chosen rows that hold an answer, with a `column` of what `figure(estimate, truth)` makes of each.

    For what no metric of a question says: `mean(with_answers(table, answer, "spurious", ratio), "spurious")`.
    """
    rows = chosen(table, status="ok", **conditions)
    found = [answer(cell) for cell in rows["cell"]]
    values = [float("nan") if kept is None else float(figure(*kept)) for kept in found]
    return rows.assign(**{column: values})


@dataclass(frozen=True)
class Claim:
    """A published or analytic statement, and the figure of an experiment's results that it is checked on.

    `measure(table)` gets the results (one row per cell; columns in `simlab.store.ledger`) and returns the figure.
    band: where it is expected, ends included. A claim can fail, and is then shown failing. invariant: it is true by
    construction and must hold in every cell (the truth, given as an answer, is a recovery): the figure itself is
    compared with the band, with no interval, so that one cell that breaks it makes the claim fail. answers: it is
    measured on the answers themselves, `measure(table, answer)`; see `with_answers`.
    """

    name: Annotated[str, Spelled(r"\S(.*\S)?", "that is not empty")]
    statement: str
    source: str
    measure: Callable[..., Measured | float]
    band: tuple[float, float]
    invariant: bool = False
    answers: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
        require(callable(self.measure), f"measure must be a function of the table, got {self.measure!r}")
        low, high = self.band
        require(low <= high, f"band must be (low, high) with low <= high, got {self.band}: write the lower first")

    def check(self, table: pd.DataFrame, answer: Answer = _no_answer) -> ClaimResult:
        """The verdict on these results; see `ClaimResult`. answer(cell): estimate and projected truth of a cell."""
        try:
            measured = self.measure(table, answer) if self.answers else self.measure(table)
            if not isinstance(measured, Measured):
                measured = Measured(float(measured))
        except Exception as error:  # a claim is a user's code, and must not cost the others their verdict
            return ClaimResult(self, Measured(float("nan"), detail=f"{type(error).__name__}: {error}"), "not measured")
        if self.invariant:
            measured = replace(measured, low=float("nan"), high=float("nan"))
        return ClaimResult(self, measured, self._verdict(measured))

    def _verdict(self, measured: Measured) -> str:
        if measured.value != measured.value:
            return "not measured"
        low, high = (measured.value,) * 2 if self.invariant else (measured.low, measured.high)
        if self.band[0] <= low and high <= self.band[1]:
            return "holds"
        return "fails" if high < self.band[0] or low > self.band[1] else "undecided"


def oracle_recovers(*roles: str, among: Callable[[pd.DataFrame], pd.DataFrame] | None = None) -> Claim:
    """The invariant that experiments share: the truth, given as an answer, counts as a recovery in every cell.

    roles: of the cells that count; all if none is given. among: chooses rows beforehand, where a question has no answer
    in some.
    """
    return Claim(
        "oracle_recovers",
        "The truth, given as an answer, counts as a recovery every time.",
        "by construction: criterion and projection agree",
        partial(_oracle, roles=roles, among=among),
        (1.0, 1.0),
        invariant=True,
    )


def _oracle(
    table: pd.DataFrame, roles: tuple[str, ...], among: Callable[[pd.DataFrame], pd.DataFrame] | None
) -> Measured:
    """How often the truth itself counts as a recovery."""
    rows = table if among is None else among(table)
    return rate(chosen(rows, role=roles) if roles else rows, "recovered", method="baseline:oracle")


@dataclass(frozen=True)
class ClaimResult:
    """A checked claim. verdict: `holds` where the whole 95% interval lies within the band, `fails` where it lies
    wholly outside, `undecided` where it does neither or there is none, `not measured` where rows are missing."""

    claim: Claim
    measured: Measured
    verdict: str


class ClaimResults(tuple[ClaimResult, ...]):
    """The checked claims of a run, in the experiment's order; a table in a notebook."""

    @property
    def table(self) -> pd.DataFrame:
        """One row per claim: its verdict, value with 95% interval (low, high) and n, the band, statement, source."""
        import pandas as pd

        rows = [
            {
                "claim": found.claim.name,
                "verdict": found.verdict,
                "value": found.measured.value,
                "low": found.measured.low,
                "high": found.measured.high,
                "n": found.measured.n,
                "expected": f"{found.claim.band[0]:g} to {found.claim.band[1]:g}",
                "statement": found.claim.statement,
                "source": found.claim.source,
            }
            for found in self
        ]
        columns = ["claim", "verdict", "value", "low", "high", "n", "expected", "statement", "source"]
        return pd.DataFrame(rows, columns=columns)

    def _repr_html_(self) -> str:
        if not self:
            return "<p>This experiment makes no claims.</p>"
        return str(self.table.to_html(index=False, float_format="%.3g", na_rep="–", escape=True))
