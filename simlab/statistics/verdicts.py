"""What one cell of a results table counts as: the only place that decides it.

| status of the cell | in a recovery rate | in a false-recovery rate (rivals) | in any other mean |
|---|---|---|---|
| ok | 1 where recovered, else 0; left out where the question has no answer there | 1 where fooled, else 0 | its value |
| abstained | left out: neither right nor wrong | left out | left out |
| error (or timeout), over_budget | 0: nothing was recovered | left out, and bounded both ways | left out |

Everything here takes a table of results, one row per cell (`simlab.store.ledger`), and returns one entry per cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")

FATES = (NAN, 0.0, 1.0)
"""What a failure on a rival may count as: left out, not fooled, fooled."""

BLIND = ("baseline:random", "baseline:marginals_only")
"""The stand-ins that see no interactions: what they get is chance."""


def subject_of(table: pd.DataFrame) -> pd.Series:
    """Who each cell was measured on: subject 3 of one circuit is another individual than subject 3 of another."""
    circuit = table["circuit_label"] if "circuit_label" in table else table["circuit"]
    return circuit.astype(str) + "#" + table["subject"].astype(str)


def stand_in(table: pd.DataFrame) -> pd.Series:
    """Whether a cell is a baseline's, which may see the truth, and not a method's (bool)."""
    return table["method"].astype(str).str.startswith("baseline:")


def abstained(table: pd.DataFrame) -> pd.Series:
    """Whether the method refused to answer (bool)."""
    return table["status"] == "abstained"


def error(table: pd.DataFrame) -> pd.Series:
    """Whether the method raised, ran past its time limit or out of memory, or answered out of form (bool)."""
    return table["status"] == "error"


def over_budget(table: pd.DataFrame) -> pd.Series:
    """Whether an active method asked for more than its budget (bool)."""
    return table["status"] == "over_budget"


def failed(table: pd.DataFrame) -> pd.Series:
    """Whether no answer came though none was refused: an error or an exhausted budget (bool)."""
    return error(table) | over_budget(table)


def told(table: pd.DataFrame) -> pd.Series:
    """Whether the method gave an answer (bool)."""
    return table["status"] == "ok"


def answered(table: pd.DataFrame) -> pd.Series:
    """Whether a cell counts in a recovery rate (bool): not abstained, and not where the question has no answer."""
    return failed(table) | settled(table)


def askable(table: pd.DataFrame) -> pd.Series:
    """Whether a cell tells of recovery (bool): a circuit's, or that of a rival in which the question has an answer.

    That a failure happened on such a rival is seen from the other cells of the same rival.
    """
    scored = settled(table)
    rivals = table["circuit_label"].isin(table.loc[scored, "circuit_label"]) & ~told(table)
    return (table["role"] == "circuit") | scored | rivals


def asked(table: pd.DataFrame, verdict: str = "recovered") -> pd.Series:
    """Whether the question was asked (bool): in all cells but those in which it has no answer."""
    return ~told(table) | table[verdict].notna()


def settled(table: pd.DataFrame, verdict: str = "recovered") -> pd.Series:
    """Whether an answer was given and this verdict on it is known (bool)."""
    return told(table) & table[verdict].notna()


def tally(table: pd.DataFrame, verdict: str = "recovered") -> dict[str, int]:
    """In how many cells the question was asked, answered (with this verdict known) and refused: counted apart.

    What was asked and neither answered nor abstained failed.
    """
    return {
        "asked": int(asked(table, verdict).sum()),
        "answered": int(settled(table, verdict).sum()),
        "abstained": int(abstained(table).sum()),
    }


def recovered(table: pd.DataFrame) -> pd.Series:
    """1 where the mechanism was recovered, 0 where not (failures among these), NaN where the cell does not count."""
    return (told(table) & (table["recovered"] == 1)).astype(float).where(answered(table))


def fooled(table: pd.DataFrame, failures: float = NAN) -> pd.Series:
    """1 where a rival's mechanism was claimed that is not there, 0 where it was not, NaN where the cell does not count.

    failures: what a failure on a rival counts as. Nobody knows, so it is left out (NaN); 0 and 1 bound the rate.
    """
    rival = table["role"] == "rival"
    known = rival & settled(table, "false_recovery")
    return (table["false_recovery"] == 1).astype(float).where(known).mask(rival & failed(table), failures)


def right(table: pd.DataFrame) -> pd.Series:
    """1 where an answer was right: a recovery, and on a rival no false recovery; NaN where none was given."""
    return recovered(table).where(table["role"] != "rival", 1 - fooled(table)).where(told(table))


def separated(table: pd.DataFrame, failures: float = NAN) -> tuple[pd.Series, pd.Series]:
    """(recovered on circuits, fooled on rivals) as above, but an abstention is 0 on its side: it separates nothing."""
    circuit, rival = (abstained(table) & (table["role"] == role) for role in ("circuit", "rival"))
    hits = recovered(table).where(table["role"] == "circuit").mask(circuit, 0.0)
    return hits, fooled(table, failures).mask(rival, 0.0)


def counted(table: pd.DataFrame, column: str, failures: float = NAN) -> pd.Series:
    """What each cell counts as in a mean of `column`, NaN where it does not count.

    `recovered` and `false_recovery` (failures: see `fooled`) as above, `abstained`, `error` and `over_budget` as 0 or
    1 in every cell, any metric as its value where an answer was given. A KeyError if there is no such column.
    """
    masks = {"abstained": abstained, "error": error, "over_budget": over_budget}
    if column in masks:
        return masks[column](table).astype(float)
    if column in ("recovered", "false_recovery"):
        return recovered(table) if column == "recovered" else fooled(table, failures)
    return table[column].astype(float).where(told(table))
