"""Reading `run.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from simlab.contracts import SimlabError

FORMAT = 3
"""Of run folders."""


def read_run_file(folder: Path) -> dict[str, Any]:
    """What `run.json` says; SimlabError where it is damaged, or was written by an earlier version of simlab."""
    try:
        found = json.loads((folder / "run.json").read_text())
    except (OSError, ValueError) as error:
        raise SimlabError(
            f"{folder / 'run.json'} cannot be read ({error}): restore it, or run anew elsewhere"
        ) from error
    written = found.get("format", 1) if isinstance(found, dict) else None
    if written != FORMAT:
        raise SimlabError(
            f"{folder} holds a run of format {written}, and this version of simlab reads format {FORMAT}: its "
            "subjects, keys or columns differ, so run the experiment again into another folder, or open this one with "
            "the version that wrote it"
        )
    return found
