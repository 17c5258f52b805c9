"""Findings that were kept, scored again: after a criterion has changed, nothing is analysed anew."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from simlab.experiment import digest_of, question_hash
from simlab.lab.row import written
from simlab.registry import question
from simlab.results import Results
from simlab.scoring import Truth, verdict
from simlab.store.ledger import TRIED_AGAIN, Ledger, Row


def score_again(folder: Path | str, questions: Iterable[Any] = ()) -> Results:
    """The results of a run folder with every kept finding scored by the questions as they now are.

    questions: instances whose criteria differ from the default, such as `Connectivity(least_mcc=0.4)`.
    """
    results = Results(folder)
    chosen = tuple(questions)
    rows = [row["cell"] for row in results.ledger.rows() if row["status"] not in TRIED_AGAIN]
    for cell in rows:
        row = results.ledger.row(cell)
        if row is not None:
            results.ledger.replace(cell, scored_again(results.ledger, row, question(row["question"], chosen)))
    return Results(folder)


def scored_again(ledger: Ledger, row: Row, asked: Any) -> Row:
    """A row with the verdict of this question on its kept finding, under the name that it then has."""
    made_of = json.loads(row["made_of"]) | {"question": question_hash(asked)}
    renamed = row | {
        "made_of": json.dumps(made_of, sort_keys=True),
        "cell": digest_of(row["identity"], made_of, row["seed"]),
    }
    kept = ledger.kept(row)
    if kept is None:  # an abstention or an exhausted budget is that under any criterion
        return renamed
    finding, neurons, key = kept
    truth = Truth(neurons, key, json.loads(row["brief"] or "{}"))
    return renamed | written(verdict(asked, finding, truth.projected(asked), rival=row["role"] == "rival"))
