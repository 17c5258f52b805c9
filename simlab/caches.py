"""Where the lab keeps what it can make again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """`simlab` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")) / "simlab"


def builds_folder() -> Path:
    """Compiled simulations: one folder for each, its lock beside it."""
    return cache_folder() / "builds"
