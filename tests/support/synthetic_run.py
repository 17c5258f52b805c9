"""A run folder of made-up rows, of the size and shape of a real one: material for the report's tests and pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import Finding
from simlab.experiment import Experiment
from simlab.provenance import machine, versions
from simlab.store.ledger import Ledger
from simlab.store.packing import digest, pack_dataset, pack_finding
from simlab.store.run_file import FORMAT

METHODS = {"coupling_glm": 1.1, "cross_correlogram": 0.5, "transfer_entropy": 0.2, "spike_count_correlation": -0.9}
INSTRUMENTS = {"perfect": 1.0, "subsample": 0.3, "electrodes": -0.6, "two_photon": -1.5}
BASELINES = {"oracle": 9.0, "random": -9.0, "marginals_only": -3.0}
UNITS, DURATIONS = (10, 20, 40, 80), (1.0, 4.0, 16.0)


def write_run(folder: Path, spec: Experiment, rows: list[dict[str, Any]], seed: int = 1) -> Path:
    """A run folder that holds these rows, as `simlab.running.loop` leaves it.

    A row's `kept`, if it has one, is the finding, the truth over neurons and the (unit, neuron) key to keep with it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    run = {
        "format": FORMAT, "experiment": spec.name, "asks": spec.asks, "source": spec.name, "seed": seed,
        "subjects": spec.subjects,
        "grids": [], "versions": versions(), "machine": machine(), "command": ["simlab", "run", spec.name],
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(run))
    ledger = Ledger(folder / "ledger.sqlite")
    for position, row in enumerate(rows):
        plain = {"position": position, "experiment": spec.name} | {k: v for k, v in row.items() if k != "kept"}
        blobs: list[bytes] = []
        if "kept" in row:
            finding, truth, key = row["kept"]
            blobs = [pack_dataset(truth), pack_dataset(key.to_dataset(name="share"))]
            plain |= {"finding": pack_finding(finding), "truth": digest(blobs[0]), "unit_key": digest(blobs[1])}
        ledger.write(plain, blobs)
    return folder


def row(**columns: Any) -> dict[str, Any]:
    """One row with every column that the statistics read."""
    plain = {
        "cell": "k", "role": "circuit", "circuit": "balanced_ei", "circuit_label": "balanced_ei", "subject": 0,
        "circuit_parameters": "{}", "instrument_parameters": "{}", "method_parameters": "{}", "trials": 20,
        "duration": 2.0, "instrument": "perfect", "instrument_label": "perfect", "method": "m", "method_label": "m",
        "question": "connectivity", "kind": "passive", "status": "ok", "reason": "", "recovered": None,
        "false_recovery": None, "confidence": None, "n_units": 20, "n_neurons": 100,
        "metrics": "{}", "chance": json.dumps({"mcc": 0.0, "auroc": 0.5}), "seconds_simulation": 1.0,
        "seconds_recording": 0.1, "seconds_analysis": 0.5, "seconds_scoring": 0.01, "peak_memory": 2e8,
        "engine": "brian2 2.9.0 cython", "seed": "1",
    }  # fmt: skip
    columns.setdefault("circuit_label", columns.get("circuit", plain["circuit_label"]))
    columns.setdefault("method_label", columns.get("method", "m"))
    columns.setdefault("instrument_label", columns.get("instrument", "perfect"))
    return plain | columns


def connectivity_rows(n_subjects: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """A sweep of units and duration through four instruments, with rivals, ceilings, baselines and mishaps."""
    return list(_connectivity(n_subjects, rng))


def _connectivity(n_subjects: int, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    answers = list(METHODS.items()) + [(f"baseline:{kind}", skill) for kind, skill in BASELINES.items()]
    for subject, duration in product(range(n_subjects), DURATIONS):
        for n_units, instrument in product(UNITS, INSTRUMENTS):
            if instrument == "perfect":
                if n_units != UNITS[-1]:
                    continue
                n_units = 100
            if instrument == "electrodes":
                n_units = int(rng.integers(8, 40))
            for method, skill in answers:
                where = {"subject": subject, "trials": 20, "duration": duration, "n_units": n_units}
                where |= {"instrument": instrument, "instrument_label": _label(instrument, n_units)}
                ease = skill + INSTRUMENTS[instrument] + 0.9 * np.log(duration / 4) + 0.5 * np.log(n_units / 20)
                yield _cell(method, ease, where, rng)
                if not method.startswith("baseline") and duration == DURATIONS[-1]:
                    fooled = 0.9 if method == "spike_count_correlation" else 0.1
                    yield _rival(method, fooled, where, rng)
    for subject, (method, skill) in product(range(n_subjects), answers):
        where = {"subject": subject, "duration": 64.0, "n_units": 100, "role": "ceiling", "instrument": "perfect"}
        yield _cell(method, skill + 3.5, where, rng)


def _label(instrument: str, n_units: int) -> str:
    return f"subsample(n_units={n_units})" if instrument == "subsample" else instrument


def _cell(method: str, ease: float, where: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    mcc = float(np.clip(np.tanh(ease / 2) * 0.5 + 0.45 + 0.12 * rng.standard_normal(), -0.2, 1))
    if method in ("baseline:random", "baseline:marginals_only"):
        mcc = float(0.04 * rng.standard_normal() + 0.08 * (method != "baseline:random"))
    mcc = 1.0 if method == "baseline:oracle" else mcc
    cell = f"{rng.integers(2**60):x}"
    kind = "baseline" if method.startswith("baseline") else "passive"
    base = row(cell=cell, method=method, kind=kind, seconds_analysis=float(rng.gamma(2, 0.4)), **where)
    if method == "cross_correlogram" and where["instrument"] == "two_photon":
        return base | {"status": "abstained", "reason": "cross_correlogram needs spikes, and this is fluorescence"}
    if method == "coupling_glm" and rng.random() < 0.01:
        return base | {"status": "error", "reason": "LinAlgError: singular matrix"}
    found = {"metrics": json.dumps({"mcc": mcc, "auroc": 0.5 + max(mcc, 0) / 2}), "recovered": float(mcc >= 0.5)}
    if kind != "baseline":
        found["confidence"] = float(np.clip(0.35 + 0.5 * mcc + 0.1 * rng.standard_normal(), 0, 1))
    if where["n_units"] <= 40 and where["subject"] < 3:
        found["kept"] = kept(where["n_units"], mcc, rng)
    return base | found


def _rival(method: str, fooled: float, where: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    found = _cell(method, 0.0, where | {"role": "rival", "circuit": "common_drive"}, rng)
    if found["status"] != "ok":
        return found
    metrics = json.dumps({"mcc": None, "auroc": None})
    return found | {"metrics": metrics, "recovered": None, "false_recovery": float(rng.random() < fooled)}


def kept(n_units: int, quality: float, rng: np.random.Generator) -> tuple[Finding, xr.Dataset, xr.DataArray]:
    """A score that tells the true matrix as well as `quality` says, that matrix, and the key of one neuron a unit."""
    weight = (rng.random((n_units, n_units)) < 0.12) * rng.gamma(4, 0.25, (n_units, n_units))
    weight[int(0.8 * n_units) :] *= -4
    np.fill_diagonal(weight, 0)
    score = 3 * quality * (weight != 0) + rng.standard_normal((n_units, n_units))
    np.fill_diagonal(score, 0)
    finding = Finding({"score": score, "decided": score > 1.5, "sign": np.sign(score).astype(int)})
    key = xr.DataArray(np.eye(n_units), dims=("unit", "neuron"))
    return finding, xr.Dataset({"weight": (("pre", "post"), weight)}), key
