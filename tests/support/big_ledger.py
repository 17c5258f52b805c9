"""A run folder of the size that the house must carry: 18 questions x 70 methods x 40 circuits, made up at random.

`python tests/support/big_ledger.py FOLDER [QUESTIONS METHODS CIRCUITS]` writes one, to be looked at with
`simlab report FOLDER`. Every other circuit is a rival; methods differ in skill, credulity and honesty.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from synthetic_run import kept, row, write_run

QUESTIONS = (
    "connectivity", "effect", "cell_type", "tuning", "receptive_field", "dimensionality", "latents", "topology",
    "dynamics", "mechanism", "assemblies", "features", "oscillation", "timescale", "necessity", "circuit",
    "intervention_response", "model_choice",
)  # fmt: skip
HEADLINES = {"connectivity": "mcc", "topology": "exact", "mechanism": "correct"}
FAMILIES = ("correlation", "regression", "information", "spectral", "latent", "causal", "topological")
MECHANISMS = ("recurrent", "feedforward", "common drive", "ring attractor", "limit cycle", "chaos", "synfire", "gain")
INSTRUMENTS = ("subsample", "electrodes")
DURATIONS = (1.0, 8.0)
LONG = "a_method_with_a_very_long_name_" * 4
"""The name of one method, as somebody will give one."""


def write_big_ledger(
    folder: Path, n_questions: int = 18, n_methods: int = 70, n_circuits: int = 40, seed: int = 0
) -> Path:
    """The run folder; each method is asked each question on each circuit, twice: with little and with much data."""
    rows = big_rows(n_questions, n_methods, n_circuits, np.random.default_rng(seed))
    asks = f"{n_questions} questions, {n_methods} methods, {n_circuits} circuits: can a report of all of them be read?"
    spec = SimpleNamespace(name="big_ledger", asks=asks, subjects=1)  # all that is kept of an experiment made elsewhere
    return write_run(folder, spec, list(rows), seed)


def big_rows(n_questions: int, n_methods: int, n_circuits: int, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Cells with plausible outcomes: logistic in skill, the circuit's ease and the log of the data."""
    methods = [f"{FAMILIES[i % len(FAMILIES)]}_{i:02d}" for i in range(n_methods)]
    methods[-1] = LONG
    circuits = [f"{MECHANISMS[i % len(MECHANISMS)].replace(' ', '_')}_{i:02d}" for i in range(n_circuits)]
    skill = rng.normal(0, 1.2, (n_questions, n_methods))
    credulity, ease = rng.normal(-1, 1.5, (n_questions, n_methods)), rng.normal(0, 0.8, (n_questions, n_circuits))
    answers = [*enumerate(methods), (n_methods, "baseline:random"), (n_methods + 1, "baseline:oracle")]
    for (q, question), (c, circuit), (m, method) in product(
        enumerate(QUESTIONS[:n_questions]), enumerate(circuits), answers
    ):
        edge = {"baseline:random": -4.0, "baseline:oracle": 9.0}.get(method) if m >= n_methods else skill[q, m]
        gullible = {"baseline:random": 0.0, "baseline:oracle": -9.0}.get(method) if m >= n_methods else credulity[q, m]
        for duration in DURATIONS:
            where = _where(question, circuit, c, method, m, duration)
            merit = float(edge) + ease[q, c] + 0.9 * np.log(duration / 3)
            yield _outcome(where, merit, float(gullible), rng)


def _where(question: str, circuit: str, c: int, method: str, m: int, duration: float) -> dict[str, Any]:
    rival = c % 2 == 1
    return row(
        cell=f"{question}-{c}-{m}-{duration:g}",
        question=question,
        circuit=circuit,
        role="rival" if rival else "circuit",
        mechanism=MECHANISMS[c % len(MECHANISMS)],
        twin=f"twin_of_{c - 1}" if rival else "",
        method=method,
        family=FAMILIES[m % len(FAMILIES)],
        library="own",
        kind="baseline" if method.startswith("baseline") else "active" if m % 11 == 5 else "passive",
        instrument=INSTRUMENTS[(c // 2) % len(INSTRUMENTS)],
        duration=duration,
        chance="{}",
        spent_perturbations=float(m % 5) if m % 11 == 5 else None,
    )


def _outcome(where: dict[str, Any], merit: float, gullible: float, rng: np.random.Generator) -> dict[str, Any]:
    luck = rng.random()
    if where["kind"] != "baseline" and luck < 0.05:
        return where | {"status": "abstained", "reason": f"needs more than {where['duration']:g} s of recording"}
    if where["kind"] != "baseline" and luck < 0.06:
        return where | {"status": "error", "reason": f"LinAlgError: singular matrix {int(1e6 * rng.random())}"}
    p = 1 / (1 + np.exp(-(gullible if where["role"] == "rival" else merit)))
    hit = float(rng.random() < p)
    found: dict[str, Any] = {"seconds_analysis": float(rng.gamma(2, 0.4))}
    found |= {"false_recovery": hit} if where["role"] == "rival" else {"recovered": hit}
    if where["kind"] != "baseline":
        found["confidence"] = float(np.clip(0.3 * p + 0.35 + 0.15 * rng.standard_normal(), 0, 1))
    headline = HEADLINES.get(where["question"])
    if headline == "mcc" and where["role"] == "circuit":
        quality = float(np.clip(0.5 * p + 0.5 * hit * rng.random(), -0.1, 1))
        found["metrics"] = json.dumps({"mcc": quality})
        if rng.random() < 0.002:
            found["kept"] = kept(where["n_units"], quality, rng)
    elif headline and where["role"] == "circuit":
        found["metrics"] = json.dumps({headline: hit})
    return where | found


if __name__ == "__main__":
    print(write_big_ledger(Path(sys.argv[1]), *map(int, sys.argv[2:])))
