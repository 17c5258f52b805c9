"""What lesions seem to say, at reduced size: who is misled by which circuit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import simlab
from circuits.causal.compensating import Compensating
from circuits.causal.gated import Gated
from circuits.causal.off_target import OffTarget
from circuits.causal.redundant import Redundant
from methods.intervention.lesion_screen import LesionScreen
from methods.intervention.shapley_exact import ShapleyExact
from methods.intervention.silencing_screen import SilencingScreen
from simlab.experiment import Experiment, Grid, Plan

if TYPE_CHECKING:
    import pandas as pd

EACH = 0.3
METHODS = (
    SilencingScreen(duration=EACH, trials_each=100),
    LesionScreen(duration=EACH, trials_each=100),
    ShapleyExact(duration=EACH),
)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Two animals of each circuit, 2,500 trials each."""
    grids = tuple(
        Grid((circuit,), (Plan(trials, EACH),), ("perfect",), methods, stimulators=("ideal",), baselines=False)
        for circuit, trials, methods in (
            (Redundant(), 2500, (METHODS[0], METHODS[2])),
            (Gated(), 1500, METHODS[:1]),
            (Compensating(), 2500, METHODS[:2]),
            (OffTarget(), 2500, METHODS[:2]),
        )
    )
    out = tmp_path_factory.mktemp("roles") / "run"
    results = simlab.run(Experiment("roles", "?", grids, subjects=2), out)
    return results.table.set_index(["circuit", "method"])


def test_nothing_fails(table: pd.DataFrame) -> None:
    assert (table["status"] == "ok").all(), table["reason"].tolist()


def test_one_lesion_at_a_time_misses_what_is_redundant_and_all_sets_do_not(table: pd.DataFrame) -> None:
    assert table.loc[("redundant", "silencing_screen"), "recall"].max() < 1.0
    assert (table.loc[("redundant", "shapley_exact"), "recovered"] == 1).all()
    assert (table.loc[("gated", "silencing_screen"), "exact"] == 1).all()


def test_acute_silencing_credits_what_only_permits_and_chronic_loss_does_not(table: pd.DataFrame) -> None:
    assert (table.loc[("off_target", "silencing_screen"), "n_false"] >= 1).all()
    assert (table.loc[("off_target", "lesion_screen"), "n_false"] == 0).all()


def test_chronic_loss_misses_what_is_replaced_and_acute_silencing_does_not(table: pd.DataFrame) -> None:
    assert (table.loc[("compensating", "lesion_screen"), "n_missed"] >= 1).all()
    assert (table.loc[("compensating", "silencing_screen"), "exact"] == 1).all()
