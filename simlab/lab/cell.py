"""One cell: a subject is run, recorded, analysed blind, and the finding scored against the projected truth.

`run_cell` is the picture of DESIGN.md, top to bottom. It runs in a worker process and depends on nothing but the cell
and its settings.
"""

from __future__ import annotations

from typing import Any

from simlab.contracts import HouseFault
from simlab.execution.outcome import one_line, trace_of
from simlab.experiment import Cell
from simlab.lab.analysing import analyse
from simlab.lab.laboratory import Lab, Stopwatch
from simlab.lab.memory import kept
from simlab.lab.row import Row, Settings, failure, fault, identity, told, written
from simlab.scoring import Truth, verdict
from simlab.store.packing import digest, pack_dataset, pack_finding


def run_cell(cell: Cell, settings: Settings) -> tuple[Row, tuple[bytes, ...]]:
    """The row of one cell, and the blobs that it refers to.

    What a method raises becomes the row's error, what circuit, instrument or question raise its fault. A HouseFault (a
    full disk) is no fact about the cell and is raised.
    """
    lab, watch = Lab(cell, settings), Stopwatch()
    row, stage = identity(cell, settings), "before the analysis"
    try:
        subject = watch.time("simulation", lab.subject)
        lab.placed()  # may refuse: before the simulation
        activity = None if cell.active else watch.time("simulation", lab.activity)
        implant = watch.time("recording", lab.implant)
        recording = None if activity is None else watch.time("recording", lab.recording)
        truth = watch.time("truth", lambda: lab.truth)
        row |= lab.described(activity)
        outcome, spent = analyse(lab, recording, truth, watch)
        stage = "scoring"
        scored, blobs = watch.time("scoring", lambda: _score(cell, outcome, truth))
    except HouseFault:
        raise
    except Exception as error:
        return row | fault(f"{stage}: {one_line(error)}", trace_of(error)) | _timings(watch), ()
    row |= scored | spent
    row |= {"n_units": implant.key.sizes["unit"], "n_neurons": subject.anatomy.sizes["neuron"], "engine": lab.engine}
    return row | _timings(watch) | {"peak_memory": outcome.peak_memory}, blobs


def _score(cell: Cell, outcome: Any, truth: Truth) -> tuple[Row, tuple[bytes, ...]]:
    """What came of the method, as columns, and what is kept to score it again."""
    finding = outcome.finding
    if finding is None:
        return failure(outcome.error, outcome.traceback, over_budget=outcome.over_budget), ()
    found = written(verdict(cell.asked, finding, truth.projected(cell.asked), rival=cell.role == "rival"))
    if finding.abstained:
        return found, ()
    blobs = _packed(truth)
    names = dict(zip(("truth", "unit_key"), map(digest, blobs), strict=True))
    return found | names | {"brief": told(truth.brief), "finding": pack_finding(finding)}, blobs


def _packed(truth: Truth) -> tuple[bytes, bytes]:
    """Truth and key as bytes; those of the last few are remembered, as several methods share them."""
    neurons = kept(("packed", id(truth.neurons)), lambda: (truth.neurons, pack_dataset(truth.neurons)))
    key = kept(("packed", truth.key.values.tobytes()), lambda: pack_dataset(truth.key.to_dataset(name="share")))
    return neurons[1], key


def _timings(watch: Stopwatch) -> Row:
    return {f"seconds_{what}": spent for what, spent in watch.seconds.items()}
