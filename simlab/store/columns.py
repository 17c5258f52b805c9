"""The columns of the ledger: what is kept of a finished cell."""

from __future__ import annotations

from collections.abc import Mapping

COLUMNS: Mapping[str, str] = {
    "cell": "TEXT PRIMARY KEY",  # hash of what the cell is, of what it is made of, and of the seed
    "identity": "TEXT",  # hash of what it is alone: rows that share it, but not `cell`, are stale
    "made_of": "TEXT",  # JSON: code of its parts, criteria, versions of the libraries that compute
    "position": "INTEGER",  # place in the experiment's order, so that results read the same whoever finished first
    "experiment": "TEXT",
    "role": "TEXT",  # circuit, rival or ceiling
    "circuit": "TEXT",
    "circuit_label": "TEXT",
    "circuit_parameters": "TEXT",  # JSON
    "mechanism": "TEXT",
    "twin": "TEXT",  # of a rival: the label of the circuit that it imitates
    "drawn": "TEXT",  # JSON: the parameters that this subject's circuit was drawn with, where the grid draws them
    "rejected": "INTEGER",  # draws before it whose activity was outside the circuit's regime
    "outside_regime": "TEXT",  # what of the activity is outside the circuit's regime, and by how much
    "subject": "INTEGER",
    "trials": "INTEGER",
    "duration": "REAL",  # s
    "instrument": "TEXT",
    "instrument_label": "TEXT",
    "instrument_parameters": "TEXT",
    "stimulator": "TEXT",
    "stimulator_label": "TEXT",
    "stimulator_parameters": "TEXT",
    "method": "TEXT",
    "method_label": "TEXT",
    "method_parameters": "TEXT",
    "family": "TEXT",  # of analyses that the method belongs to
    "library": "TEXT",  # whose implementation ran
    "question": "TEXT",
    "kind": "TEXT",  # passive, active or baseline
    "status": "TEXT",  # ok, abstained, error, over_budget or fault (of circuit, instrument or question)
    "reason": "TEXT",
    "recovered": "REAL",
    "false_recovery": "REAL",
    "confidence": "REAL",
    "metrics": "TEXT",
    "chance": "TEXT",
    "n_units": "INTEGER",
    "n_neurons": "INTEGER",
    "budget_trials": "REAL",
    "budget_seconds": "REAL",
    "budget_perturbations": "REAL",
    "budget_interventions": "REAL",
    "spent_trials": "REAL",
    "spent_seconds": "REAL",
    "spent_perturbations": "REAL",
    "spent_interventions": "REAL",
    "seconds_simulation": "REAL",
    "seconds_recording": "REAL",
    "seconds_truth": "REAL",
    "seconds_analysis": "REAL",
    "seconds_scoring": "REAL",
    "peak_memory": "REAL",  # bytes
    "engine": "TEXT",  # simulator, version and code generation target
    "versions": "TEXT",  # JSON
    "seed": "TEXT",
    "brief": "TEXT",  # JSON: what the question told the method
    "truth": "TEXT",  # name of the blob that holds the truth over neurons
    "unit_key": "TEXT",  # name of the blob that holds the (unit, neuron) key that it is projected through
    "finding": "TEXT",  # name of the blob that holds the packed finding
    "sha256": "TEXT",  # of all the other columns
}
"""Every column of the table `cells` and its SQLite type."""

KEPT_APART = ("finding", "brief", "made_of", "identity", "sha256")
"""Columns that a results table does not show."""

TIMINGS = (
    "seconds_simulation", "seconds_recording", "seconds_truth", "seconds_analysis", "seconds_scoring", "peak_memory",
)  # fmt: skip
"""Columns that differ between two runs of the same experiment; all others are identical."""
