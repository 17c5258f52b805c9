"""What keeps the start of the lab's own processes short: workers, the parent of sealed methods, the command line."""

from __future__ import annotations

import sys


def spare_dask() -> None:
    """Makes xarray's first array without dask, which it would load for it, nearly a second, if dask is installed.

    It asks whether the array is one of dask's that masks values, and keeps the answer. Whoever uses dask later does so
    as ever, but for such arrays. Nothing where dask was loaded before.
    """
    if "dask" in sys.modules:
        return
    sys.modules["dask"] = None  # type: ignore[assignment]  # as Python has it for what is not to be found
    try:
        import xarray as xr

        xr.Variable((), 0)
    finally:
        del sys.modules["dask"]
