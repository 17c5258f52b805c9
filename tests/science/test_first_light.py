"""The main job at reduced size: the figures that the README speaks of come out, within bands that theory gives."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from experiments.first_light import FIRST_LIGHT
from simlab.running.loop import run


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> pd.DataFrame:
    return run(replace(FIRST_LIGHT, subjects=1), tmp_path_factory.mktemp("first") / "light").table


def test_no_cell_ends_in_an_error(table):
    assert table[table["status"] == "error"]["reason"].tolist() == []


def test_the_oracle_always_recovers_and_random_wiring_never(table):
    circuits = table[table["role"] == "circuit"]
    assert circuits[circuits["method"] == "baseline:oracle"]["recovered"].eq(1).all()
    # MCC of random edges among 380 pairs has sd 1/sqrt(380) = .05: 0.5 is ten of them away
    random = circuits[(circuits["method"] == "baseline:random") & (circuits["question"] == "connectivity")]
    assert random["mcc"].abs().max() < 5 / 380**0.5


def test_the_coupling_model_ranks_synapses_above_chance(table):
    glm = table[(table["method"] == "coupling_glm") & (table["role"] == "circuit")]
    # about 38 edges among 380 pairs: the AUROC of random scores has sd sqrt((38 + 342 + 1) / (12 * 38 * 342)) = .05
    assert glm["auroc"].item() > 0.5 + 3 * 0.05


def test_pushing_the_bump_tells_the_rings_apart(table):
    active = table[table["method"] == "perturb_and_watch"]
    # one subject each: the claim itself (J >= 0.8) is measured on twenty by the experiment attractor_or_not
    assert active.set_index("role")["correct"].to_dict() == {"circuit": 1.0, "rival": 1.0}


def test_watching_finds_the_same_ring_in_both(table):
    found = table[table["method"] == "persistent_homology"]
    assert found.set_index("circuit")["exact"].to_dict() == {"ring_attractor": 1.0, "feedforward_ring": 1.0}
