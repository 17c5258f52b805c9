"""What may be given to `simlab.run`, beyond what its annotations say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from simlab.rules import check_arguments, require


def check_run(run: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Raises SimlabError, before anything is written, for arguments of `run` that cannot be meant."""
    experiment, executor, workers = (arguments[name] for name in ("experiment", "executor", "workers"))
    require(
        not isinstance(experiment, type),
        f"experiment must be an Experiment, a name or a file, got {experiment!r}: make one of the class",
    )
    require(
        executor is None or (callable(getattr(executor, "submit", None)) and not isinstance(executor, type)),
        f"executor must be a concurrent.futures.Executor, got {executor!r}: with Dask, give client.get_executor()",
    )
    require(
        executor is None or workers is None,
        f"workers and executor exclude one another, got {workers} and {executor!r}: give one of the two",
    )
    check_arguments(run, {name: value for name, value in arguments.items() if name != "executor"})
    for name in ("out", "archive"):
        _check_folder(name, arguments[name])


def _check_folder(name: str, given: Any) -> None:
    if not isinstance(given, str | Path):
        return
    text = str(given)
    require(text != "" and "\0" not in text, f"{name} must name a folder, got {text!r}: give a path")
    in_the_way = [part for part in (Path(given), *Path(given).parents) if part.is_file()]
    require(
        not in_the_way,
        f"{name} must be a folder, got {text!r}, but {in_the_way[0] if in_the_way else ''} is a file: name another",
    )
