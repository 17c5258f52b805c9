"""Results of a run folder as pandas and plain objects: table, leaderboard, claims, exhibits, provenance."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlab.claims import ClaimResult
from simlab.contracts import SimlabError
from simlab.experiment import Experiment
from simlab.store.ledger import Ledger, table

if TYPE_CHECKING:
    import pandas as pd


class Results:
    """What a run folder holds (`run.json`, `ledger.sqlite`), finished or not."""

    def __init__(self, folder: Path | str, experiment: Experiment | None = None) -> None:
        self.folder = Path(folder)
        if not (self.folder / "run.json").is_file():
            raise SimlabError(f"{self.folder} is no run folder: it has no run.json; give the --out of a `simlab run`")
        self.ledger = Ledger(self.folder / "ledger.sqlite")
        self._experiment = experiment

    def __repr__(self) -> str:
        statuses = self.table["status"].value_counts().to_dict()
        counts = ", ".join(f"{n} {status}" for status, n in statuses.items()) or "no cells yet"
        return f"<Results of {self.experiment} in {self.folder}: {counts}>"

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """`run.json`: experiment, seed, subjects, versions, machine: everything needed to repeat the run."""
        return read_run_file(self.folder)

    @property
    def progress(self) -> tuple[int, int]:
        """Cells finished, and cells in all."""
        return len(self.table), int(self.provenance.get("cells", len(self.table)))

    @property
    def experiment(self) -> str:
        return str(self.provenance["experiment"])

    @property
    def asks(self) -> str:
        return str(self.provenance["asks"])

    @cached_property
    def spec(self) -> Experiment | None:
        """The Experiment itself, where it can still be found by name or file; else None."""
        if self._experiment is not None:
            return self._experiment
        from simlab.running.loop import load_experiment

        try:
            return load_experiment(self.provenance["source"])
        except (SimlabError, OSError, KeyError):
            return None

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per finished cell; see `simlab.store.ledger`; metrics and varying parameters as columns."""
        return table(self.ledger.rows())

    def leaderboard(self) -> pd.DataFrame:
        """Question x method over like cells: separation, recovery, chance, ceiling, false recovery, cost."""
        from simlab.statistics import leaderboard

        return leaderboard(self.table)

    @cached_property
    def claims(self) -> list[ClaimResult]:
        """Each claim of the experiment checked on these results."""
        if self.spec is None:
            raise SimlabError(f"the claims of {self.experiment} are in code that cannot be found: register it first")
        return [claim.check(self.table) for claim in self.spec.claims]

    def exhibits(self, question: str = "connectivity") -> Iterator[dict[str, Any]]:
        """True against inferred arrays of the cells that kept them: key, labels, metrics, `score`, `truth_weight`..."""
        chosen = self.table[(self.table["question"] == question) & (self.table["status"] == "ok")]
        for record in chosen.to_dict("records"):
            arrays = self.ledger.exhibit(record["key"])
            if arrays is not None:
                yield {str(k): v for k, v in record.items()} | arrays


def read_run_file(folder: Path) -> dict[str, Any]:
    """`run.json`; a damaged one is a SimlabError that says so."""
    try:
        return json.loads((folder / "run.json").read_text())
    except (OSError, ValueError) as error:
        raise SimlabError(
            f"{folder / 'run.json'} cannot be read ({error}): restore it, or run anew elsewhere"
        ) from error


def open_results(folder: Path | str) -> Results:
    """The results in a run folder."""
    return Results(folder)
