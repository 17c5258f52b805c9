"""What is asked of an experiment: cells with names of their own, and claims that can be checked and have a source."""

from __future__ import annotations

from typing import Any

from simlab.checks.examiner import Examiner, require
from simlab.claims import Claim
from simlab.experiment import Experiment


def check_experiment(examine: Examiner, experiment: Experiment) -> None:
    """Contract of an experiment; nothing is simulated."""
    cells = examine.holds("has cells", lambda: _cells(experiment))
    if cells is not None:
        examine.holds("every cell can be told apart", lambda: _names(experiment, cells))
        examine.holds("has the circuit's own cells, not only rivals'", lambda: _roles(cells))
    named = [claim.name for claim in experiment.claims]
    examine.holds(
        "no two claims share a name", lambda: require(len(set(named)) == len(named), f"claims are named {named}")
    )
    for claim in experiment.claims:
        examine.holds(f"claim {claim.name!r} has a source, a band and a verdict", lambda c=claim: _claim(c))  # type: ignore[misc]


def _cells(experiment: Experiment) -> list[Any]:
    cells = list(experiment.cells())
    require(len(cells) > 0, "no method meets a circuit whose truth answers its question: check `questions`")
    return cells


def _names(experiment: Experiment, cells: list[Any]) -> str:
    rows = {cell.digest(experiment.seed) for cell in cells}
    require(len(rows) == len(cells), f"{len(cells)} cells share {len(rows)} names")
    return f"{len(cells)} cells"


def _roles(cells: list[Any]) -> None:
    require(any(cell.role == "circuit" for cell in cells), "no cell has the role 'circuit'")


def _claim(claim: Claim) -> str:
    import pandas as pd

    require(bool(claim.source.strip()), "a claim needs its source: a paper, an equation or 'analytic'")
    require(bool(claim.statement.strip()), "a claim needs a statement")
    low, high = claim.band
    require(low <= high, f"the band must be (low, high), got {claim.band}")
    verdict = claim.check(pd.DataFrame()).verdict
    require(verdict == "not measured", f"on no results at all the claim {verdict}; it must be 'not measured'")
    return ""
