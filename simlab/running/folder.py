"""The run folder: `run.json` says everything that is needed to repeat the run, or to go on with it."""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from simlab.contracts import SimlabError
from simlab.execution.strict.jail import protections
from simlab.experiment import Experiment
from simlab.fingerprint import describe
from simlab.provenance import machine, versions
from simlab.simulators.engines import ENGINES, checked
from simlab.store.run_file import FORMAT, read_run_file

SHORTEST_SECRET = 20
"""Characters of a seed that nobody finds by trying."""


def as_it_will_run(
    folder: Path, spec: Experiment, *, subjects: int | None, seed: int | str | None, resume: bool
) -> Experiment:
    """The experiment with the seed and number of subjects of this run, or of the one that it goes on with."""
    if (folder / "run.json").is_file():
        if not resume:
            raise SimlabError(
                f"{folder} already holds a run: go on with it by --resume (resume=True), or name another folder"
            )
        earlier = read_run_file(folder)
        if earlier["experiment"] != spec.name:
            raise SimlabError(f"{folder} holds a run of {earlier['experiment']!r}, not of {spec.name!r}")
        if seed is not None and str(seed) != str(earlier["seed"]):
            raise SimlabError(
                f"{folder} was begun with seed {earlier['seed']}, got {seed}: a resumed run keeps its seed"
            )
        return replace(spec, seed=earlier["seed"], subjects=earlier["subjects"] if subjects is None else subjects)
    if resume:
        raise SimlabError(f"{folder} holds no run to go on with: leave out --resume, or name the right --out folder")
    return replace(
        spec, seed=spec.seed if seed is None else seed, subjects=spec.subjects if subjects is None else subjects
    )


def secret_seed(given: int | str | None) -> int | str:
    """128 random bits, which a sealed method can neither read nor guess; a seed that the user gives stands, and is
    warned of if it is short enough to be tried."""
    if given is None:
        return secrets.token_hex(16)
    if len(str(given)) < SHORTEST_SECRET:
        print(
            f"simlab: a method could try seeds like {given!r}; without one, strict runs draw a secret", file=sys.stderr
        )
    return given


def settings_of_run(folder: Path, settings: Iterable[str], *, resume: bool) -> tuple[str, ...]:
    """What is set in this run, or was in the one that it goes on with (`part.field=value`)."""
    wanted = tuple(settings)
    if not resume or not (folder / "run.json").is_file():
        return wanted
    earlier = tuple(read_run_file(folder).get("settings", ()))
    if wanted and sorted(wanted) != sorted(earlier):
        raise SimlabError(
            f"{folder} was begun with {' '.join(earlier) or 'nothing'} set, got {' '.join(wanted)}: a resumed run "
            "keeps its settings, so leave out --set, or name another --out folder"
        )
    return earlier


def engine_of_run(folder: Path, wanted: str | None, *, resume: bool) -> str:
    """What runs spiking networks in this run, or did in the one that it goes on with."""
    wanted = None if wanted is None else checked(wanted)
    if not resume or not (folder / "run.json").is_file():
        return wanted or ENGINES[0]
    earlier = read_run_file(folder).get("engine", ENGINES[0])
    if wanted not in (None, earlier):
        raise SimlabError(
            f"{folder} was begun with engine {earlier}, got {wanted}: a resumed run keeps its engine, so leave out "
            "--engine, or name another --out folder"
        )
    return str(earlier)


def write_run_file(
    folder: Path,
    spec: Experiment,
    source: str,
    n_cells: int,
    settings: Iterable[str] = (),
    strict: bool | None = None,
    engine: str = ENGINES[0],
) -> None:
    """`run.json`: everything needed to repeat the run."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = folder / ".run.json.writing"
        scratch.write_text(json.dumps(_run_file(spec, source, n_cells, settings, strict, engine), indent=1))
        os.replace(scratch, folder / "run.json")
    except OSError as error:
        raise SimlabError(f"the run folder {folder} cannot be written ({error}): name another with --out") from error


def _run_file(
    spec: Experiment, source: str, n_cells: int, settings: Iterable[str], strict: bool | None, engine: str
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "experiment": spec.name,
        "asks": spec.asks,
        "source": str(Path(source).resolve()) if source.endswith(".py") else source,
        "settings": list(settings),
        "seed": spec.seed,
        "subjects": spec.subjects,
        "cells": n_cells,
        "time_limit": spec.time_limit,
        "simulation_limit": spec.simulation_limit,
        "memory_limit": spec.memory_limit,
        "grids": spec.described(),
        "questions": describe(spec.questions),
        "versions": versions(),
        "machine": machine(),
        "strict": strict,
        "engine": engine,
        "protections": protections(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
