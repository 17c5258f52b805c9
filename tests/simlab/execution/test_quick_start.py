"""The lab's own processes do not load dask for xarray's first array, and whoever uses it later has all of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("dask", reason="dask comes with the extra `cluster`")

CODE = """
import sys
from simlab.execution.quick_start import spare_dask
spare_dask()
import numpy as np, xarray as xr
first = xr.Dataset({"x": ("t", np.arange(6.0))}).isel(t=slice(4)).mean()
print([name for name in sys.modules if name.split(".")[0] == "dask"])
import dask.array
lazy = xr.DataArray(dask.array.arange(6, chunks=3), dims="t") + 1
print(lazy.chunks, type(lazy.data).__module__, float(lazy.sum().compute()), xr.DataArray(np.arange(4)).chunk(2).chunks)
"""


def test_xarray_starts_without_dask_which_works_all_the_same_once_it_is_wanted() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    before, after = done.stdout.splitlines()
    assert before == "[]"
    assert after == "((3, 3),) dask.array.core 21.0 ((2, 2),)"
