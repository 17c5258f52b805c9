"""An experiment by its registered name, or the one that a Python file defines, as the file now is."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from simlab.contracts import SimlabError
from simlab.experiment import Experiment
from simlab.naming import near
from simlab.registry import BUILT_IN_PACKAGES, get, names
from simlab.sources import HOUSE, read_anew
from simlab.variation import varied

_loaded: dict[Path, str] = {}
"""Hash of the text that each file had when it was imported, for experiments' files and the modules beside them."""


def load_experiment(source: str, settings: Iterable[str] = ()) -> Experiment:
    """An experiment by registered name, or the one that a Python file defines, with `part.field=value` settings.

    A file may define several; the one named EXPERIMENT is then run, and there must be one. A file that was edited
    since it was loaded, or that has an edited module beside it, is loaded anew.
    """
    return varied(_from_file(source) if source.endswith(".py") else _by_name(source), settings)


def _by_name(source: str) -> Experiment:
    if source not in (known := names("experiments")) and ("/" in source or Path(source).exists()):
        raise SimlabError(
            f"an experiment is a name or a Python file, got {source!r}, which is neither{near(source, known)}: "
            f"name one of {', '.join(known)}, or a file that ends in .py"
        )
    found: Experiment = get("experiments", source)
    return found


def _from_file(source: str) -> Experiment:
    path = Path(source).resolve()
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise SimlabError(f"the file {source} {what}: give an experiment's name or the path of a Python file")
    module = _module_of(path)
    found = {name: value for name, value in vars(module).items() if isinstance(value, Experiment)}
    chosen = found.get("EXPERIMENT") or (next(iter(found.values())) if len(found) == 1 else None)
    if chosen is None:
        raise SimlabError(
            f"{source} must define one simlab.Experiment, or one named EXPERIMENT; it defines {sorted(found) or 'none'}"
        )
    return chosen


def _module_of(path: Path) -> Any:
    """The file as an importable module, so that workers find the classes that it defines.

    They travel by value: a method's sealed process, in which there are no circuits, could not run the file that makes
    the experiment.
    """
    import cloudpickle

    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    _forget_edited(path.parent)
    found = _spec_of(path.stem)
    if found is None or found.origin is None or Path(found.origin).resolve() != path:
        raise SimlabError(
            f"{path.name} cannot be imported as {path.stem!r}: its name is no identifier or is taken by "
            f"{found.origin if found else 'nothing'}; rename the file"
        )
    try:
        module = importlib.import_module(path.stem)
        cloudpickle.register_pickle_by_value(module)
        return module
    except (Exception, SystemExit) as error:
        raise SimlabError(f"{path.name} cannot be run as Python: {type(error).__name__}: {error}") from error
    finally:
        for file, _ in _beside(path.parent):
            _loaded.setdefault(file, _text_hash(file))


def _spec_of(name: str) -> Any:
    try:
        return importlib.util.find_spec(name) if name.isidentifier() else None
    except ValueError:  # a module that was made by hand has none
        return None


def _forget_edited(folder: Path) -> None:
    """Lets the modules of a folder go if one of them has another text than it was imported with.

    All of them go, since those that import an edited one hold on to what it was. Their compiled files go too: Python
    takes one for current if size and second of the source are the same, and so would worker processes.
    """
    importlib.invalidate_caches()
    beside = _beside(folder)
    if all(_loaded.get(file) in (None, _text_hash(file)) for file, _ in beside):
        return
    for file, name in beside:
        sys.modules.pop(name, None)
        _loaded.pop(file, None)
        Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)
    read_anew(file for file, _ in beside)


def _beside(folder: Path) -> list[tuple[Path, str]]:
    """File and name of the imported modules that lie in this folder, or in a package in it; the lab's own left out."""
    house = {HOUSE, *BUILT_IN_PACKAGES, "__main__"}
    found = []
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        file = _file_of(module)
        if top in house or file is None or not file.is_relative_to(folder):
            continue
        if file.parent == folder or file.relative_to(folder).parts[0] == top:
            found.append((file, name))
    return found


def _file_of(module: ModuleType) -> Path | None:
    named = getattr(module, "__file__", None)
    return Path(named).resolve() if isinstance(named, str) and named.endswith(".py") else None


def _text_hash(file: Path) -> str:
    """Hash of a file's text; "" where it is gone."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
