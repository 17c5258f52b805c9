"""Where a result came from: versions and machine."""

from __future__ import annotations

import os
import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    "brian2", "numba", "numpy", "scipy", "scikit-learn", "pandas", "xarray", "zarr", "jax", "elephant", "gudhi",
    "oasis-deconv", "statsmodels", "pynwb", "Cython",
)  # fmt: skip


@cache
def versions() -> dict[str, str]:
    """Versions of simlab, Python and the packages that results depend on, as far as they are installed."""
    from simlab import __version__

    found = {"simlab": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str | int]:
    """The machine in a few words; no user or host names."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "executable": sys.implementation.name,
    }
