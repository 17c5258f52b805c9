"""Results of a run folder as pandas and plain objects: table, leaderboard, claims, exhibits, provenance."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlab.contracts import SimlabError
from simlab.experiment import Experiment
from simlab.registry import question
from simlab.scoring import Truth
from simlab.store.ledger import FAILED, Ledger
from simlab.store.run_file import read_run_file
from simlab.store.tables import table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from simlab.claims import ClaimResults


MOST_NAMED = 8
"""So many run folders are named where one is meant."""


def _meant(folder: Path) -> str:
    """Which run folder may have been meant instead."""
    if (folder.parent / "run.json").is_file():
        return f"did you mean {folder.parent}?"
    there = sorted(str(found.parent) for found in folder.glob("*/run.json"))
    more = f" and {len(there) - MOST_NAMED} more" if len(there) > MOST_NAMED else ""
    told = f", one of {', '.join(there[:MOST_NAMED])}{more}" if there else ""
    return f"give the folder of a run (its out){told}"


class Results:
    """What a run folder holds (`run.json`, `ledger.sqlite`), finished or not.

    `provenance` is `run.json`: experiment, seed, subjects, versions, machine: everything needed to repeat the run.
    """

    def __init__(self, folder: Path | str, experiment: Experiment | None = None) -> None:
        self.folder = Path(folder)
        if not (self.folder / "run.json").is_file():
            raise SimlabError(f"{self.folder} is no run folder: it has no run.json; {_meant(self.folder)}")
        self.provenance: dict[str, Any] = read_run_file(self.folder)
        self.ledger = Ledger(self.folder / "ledger.sqlite")
        self._experiment = experiment

    def __repr__(self) -> str:
        statuses = self.table["status"].value_counts().to_dict()
        counts = ", ".join(f"{n} {status}" for status, n in statuses.items()) or "no cells yet"
        return f"<Results of {self.experiment} in {self.folder}: {counts}>"

    @property
    def progress(self) -> tuple[int, int]:
        """Cells finished, and cells in all."""
        return len(self.table), int(self.provenance.get("cells", len(self.table)))

    @property
    def experiment(self) -> str:
        """The experiment's name."""
        return str(self.provenance["experiment"])

    @property
    def asks(self) -> str:
        """The scientific question."""
        return str(self.provenance["asks"])

    @cached_property
    def spec(self) -> Experiment | None:
        """The Experiment itself, where it can still be found by name or file; else None."""
        if self._experiment is not None:
            return self._experiment
        from simlab.loading import load_experiment

        try:
            return load_experiment(self.provenance["source"], self.provenance.get("settings", ()))
        except (SimlabError, OSError, KeyError):
            return None

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per finished cell; see `simlab.store.ledger`; metrics and varying parameters as columns."""
        return table(self.ledger.rows())

    def leaderboard(self, by: str | Sequence[str] = ()) -> pd.DataFrame:
        """Question x method over like cells: separation, recovery, chance, ceiling, false recovery, cost.

        Ranked by recovery minus false recovery; see `simlab.statistics.leaderboard` for order and columns. by: a board
        for each value of these, which then lead the columns: `by=("instrument", "duration")`, or whatever else varies.
        """
        from simlab.statistics import leaderboards

        names = (by,) if isinstance(by, str) else tuple(by)
        return leaderboards(self.table, names) if names else self._board.copy()

    @cached_property
    def _board(self) -> pd.DataFrame:
        from simlab.statistics import leaderboard

        return leaderboard(self.table)

    def curve(
        self,
        over: str,
        measure: str = "recovery",
        *,
        question: str | None = None,
        methods: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Recovery, false recovery, separation or a metric against anything that varies, with 95% intervals.

        over: a column that varies, such as `instrument.n_units`, `circuit.coupling`, `method.width`, `duration`,
        `budget_perturbations`, or `seconds` or `minutes` of recording; `varying` lists them. Columns and what is
        compared with what: see `simlab.statistics.sweep_curve`.
        """
        from simlab.statistics import sweep_curve

        return sweep_curve(self.table, over, measure, question, methods, self._board)

    def split(self, over: str = "weight", bins: int = 10) -> pd.DataFrame:
        """Recall of true edges by their weight's decile, by distance or by sign: `simlab.statistics.splits`."""
        from simlab.statistics.splits import wiring_split

        return wiring_split(self.answers("connectivity"), over, bins)

    def deciding(self, measure: str = "recovered", **conditions: Any) -> pd.DataFrame:
        """Which drawn parameter goes with a method's success: see `simlab.statistics.families.deciding`."""
        from simlab.statistics.families import deciding

        return deciding(self.table, measure, **conditions)

    @property
    def varying(self) -> list[str]:
        """All that takes several values in this run, and so may be given to `curve` and `leaderboard`."""
        from simlab.statistics import varying

        return varying(self.table)

    def claims(self) -> ClaimResults:
        """Each claim of the experiment checked on these results."""
        from simlab.claims import ClaimResults

        if self.spec is None:
            raise SimlabError(
                f"the claims of {self.experiment} are in code that cannot be found: register it first, or give the "
                "experiment itself, open_results(folder, experiment)"
            )
        return ClaimResults(claim.check(self.table, self.answer) for claim in self.spec.claims)

    def traceback(self, cell: str | None = None) -> str:
        """Where the error of a cell arose, by the `cell` of its line, or that of the first that failed; for `print`.

        "" where the method gave an answer or abstained, or where only the `reason` is known.
        """
        failed = self.table[self.table["status"].isin(FAILED)]["cell"]
        if cell is None:
            return next(filter(None, map(self.ledger.traceback, failed)), "")
        self._row(cell)
        return self.ledger.traceback(cell)

    def _row(self, cell: str) -> dict[str, Any]:
        row = self.ledger.row(cell) if isinstance(cell, str) else None
        if row is None:
            raise SimlabError(f"no cell {cell!r} in this run: give the `cell` of a line of its table")
        return row

    def answer(self, cell: str) -> tuple[dict[str, Any], xr.Dataset] | None:
        """Estimate and projected truth of a cell, by the `cell` of its line; None where it gave no answer."""
        row = self._row(cell)
        kept = self.ledger.kept(row)
        if kept is None:
            return None
        finding, neurons, key = kept
        asked = question(row["question"], () if self.spec is None else self.spec.questions)
        truth = Truth(neurons, key, json.loads(row["brief"] or "{}")).projected(asked)
        return dict(finding.estimate), truth

    def answers(self, asked: str) -> Iterator[tuple[dict[str, Any], dict[str, Any], xr.Dataset]]:
        """Line of the table, estimate and projected truth of every cell that answered this question."""
        chosen = self.table[(self.table["question"] == asked) & (self.table["status"] == "ok")]
        for record in chosen.to_dict("records"):
            found = self.answer(record["cell"])
            if found is not None:
                yield {str(k): v for k, v in record.items()}, *found
