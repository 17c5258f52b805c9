"""Parts that are there are found when there are as many as assumed, and as many are made up where there are none."""

from __future__ import annotations

import numpy as np
import xarray as xr

import simlab
from methods.assemblies.nmf_components import NmfComponents
from simlab.data import recording
from simlab.questions.assemblies import Assemblies

GROUPS = np.repeat([0, 1, 2], 6)


def seen(called: np.ndarray, noise: float) -> xr.Dataset:
    """Rates of units (bin, unit) that their group calls (bin, group), and noise."""
    rng = np.random.default_rng(1)
    signal = called[:, GROUPS] * rng.uniform(0.5, 2.0, len(GROUPS)) + noise * rng.random((len(called), len(GROUPS)))
    time = 20e-3 * np.arange(len(called))
    return recording(
        duration=20e-3 * len(called), n_units=len(GROUPS), n_trials=1, signal=signal[None], modality="rate",
        signal_units="Hz", sample_time=time,
    )  # fmt: skip


def found(world: xr.Dataset) -> simlab.Finding:
    return NmfComponents(components=3).analyse(world, np.random.default_rng(0))


def test_groups_that_are_called_in_turn_are_found_and_noise_is_divided_all_the_same() -> None:
    called = (np.random.default_rng(0).random((400, 3)) < 0.2).astype(float)
    parts = found(seen(called, 0.1))
    truth = xr.Dataset({"group": ("unit", GROUPS)})
    assert Assemblies().score(parts, truth)["adjusted_rand"] == 1.0
    assert parts.notes["unexplained"] < 0.1
    alone = found(seen(np.zeros((400, 3)), 1.0))
    assert len(np.unique(alone.estimate["group"])) == 3  # which is false: there is nothing to divide
    assert abs(Assemblies().score(alone, truth)["adjusted_rand"]) < 0.3


def test_it_abstains_where_there_is_too_little_or_something_negative() -> None:
    method, rng = NmfComponents(components=3), np.random.default_rng(0)
    world = seen(np.ones((400, 3)), 1.0)
    assert "never negative" in method.analyse(world.assign(signal=world["signal"] - 1.0), rng).abstained
    assert "too few for 3" in method.analyse(seen(np.ones((3, 3)), 1.0), rng).abstained
    assert "too few for 3" in method.analyse(world.assign(signal=0 * world["signal"]), rng).abstained
