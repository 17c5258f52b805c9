"""A small experiment on the toy plug-ins, run by name from a file."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr
from toys import LagCorrelation, Misbehaving, PulseAndCount, ToyChain, ToyRival

from simlab.claims import Claim, Measured
from simlab.contracts import Finding
from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample


@dataclass(frozen=True)
class Slow(LagCorrelation):
    """The same analysis, taking its time."""

    name: ClassVar[str] = "slow"

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        time.sleep(0.05)
        return super().analyse(recording, rng)


def recovery_of_lag_correlation(table) -> Measured:
    rows = table[(table["method"] == "lag_correlation") & (table["role"] == "circuit")]
    return Measured(rows["recovered"].mean(), n=len(rows))


EXPERIMENT = Experiment(
    name="toy",
    asks="Does a lagged correlation find a chain of three-millisecond followers?",
    grids=(
        Grid(
            circuits=(ToyChain(),),
            rivals=(ToyRival(),),
            plans=(Plan(20, 1.0), Plan(200, 1.0)),
            instruments=(Perfect(), Subsample(4)),
            methods=(LagCorrelation(), Slow(), PulseAndCount(repeats=3), Misbehaving("raise")),
        ),
    ),
    claims=(
        Claim("chain_found", "the chain is found", "toy", recovery_of_lag_correlation, (0.8, 1.0), invariant=True),
        Claim("chain_missed", "the chain is missed", "toy", recovery_of_lag_correlation, (0.0, 0.1), invariant=True),
    ),
    subjects=1,
    seed=11,
)
