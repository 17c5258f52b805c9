"""An experiment by its registered name, or the one that a Python file defines."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from simlab.contracts import SimlabError
from simlab.experiment import Experiment
from simlab.registry import get


def load_experiment(source: str) -> Experiment:
    """An experiment by registered name, or the one that a Python file defines.

    A file may define several; the one named EXPERIMENT is then run, and there must be one.
    """
    if not source.endswith(".py"):
        return get("experiments", source)
    path = Path(source).resolve()
    if not path.is_file():
        raise SimlabError(f"there is no file {source}: give an experiment's name or the path of a Python file")
    module = _module_of(path)
    found = {name: value for name, value in vars(module).items() if isinstance(value, Experiment)}
    chosen = found.get("EXPERIMENT") or (next(iter(found.values())) if len(found) == 1 else None)
    if chosen is None:
        raise SimlabError(
            f"{source} must define one simlab.Experiment, or one named EXPERIMENT; it defines {sorted(found) or 'none'}"
        )
    return chosen


def _module_of(path: Path) -> Any:
    """The file as an importable module, so that workers find the classes that it defines."""
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
        inherited = os.environ.get("PYTHONPATH", "")
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(path.parent), inherited]))
    found = importlib.util.find_spec(path.stem)
    if found is None or found.origin is None or Path(found.origin).resolve() != path:
        raise SimlabError(
            f"{path.name} cannot be imported as {path.stem!r}: its name is no identifier or is taken by "
            f"{found.origin if found else 'nothing'}; rename the file"
        )
    try:
        return importlib.import_module(path.stem)
    except (Exception, SystemExit) as error:
        raise SimlabError(f"{path.name} cannot be run as Python: {type(error).__name__}: {error}") from error
