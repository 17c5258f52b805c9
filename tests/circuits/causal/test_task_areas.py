"""Areas named after what their silence ends: right for whoever watched everything, wrong for others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import simlab
from circuits.causal.lesions import Lesions, functions
from circuits.causal.task_areas import TaskAreas, TaskAreasSubject
from methods.intervention.lesion_localisation import LesionLocalisation
from methods.roles.tuning_localisation import TuningLocalisation
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.session import Effect

LESION = LesionLocalisation(duration=0.5)
MORE = LesionLocalisation(duration=0.5, more_behaviours=3)
SMALL = TaskAreas(watched=3, capable=6, middle=4, sharing=0.3, idle=2)


@pytest.fixture(scope="module")
def subject() -> TaskAreasSubject:
    return SMALL.subject(np.random.default_rng(1))


def test_what_each_area_serves_is_what_the_wiring_says(subject: TaskAreasSubject) -> None:
    middle = subject.losses[6:10]
    assert np.array_equal(middle, subject.uses.T)
    assert np.array_equal(subject.losses[:6], np.eye(6, dtype=bool))
    named = subject.truth("localisation", None, np.random.default_rng(0))["function"].values
    assert named[:6].tolist() == ["behaviour 0", "behaviour 1", "behaviour 2", "generic", "generic", "generic"]
    alone = (subject.uses.sum(axis=0) == 1) & subject.uses[:3].any(axis=0)
    assert set(named[6:10][~alone]) == {"generic"}
    assert [i for i, name in enumerate(named) if name == "none"] == [16, 17]  # idle: tuned to a behaviour each
    assert subject.parts.layout.names[16:] == ("idle 0", "idle 1")


def test_an_area_of_behaviours_that_nobody_watches_is_generic_as_it_is_in_a_machine(subject: TaskAreasSubject) -> None:
    """The other route: `functions`, which names the modules of machines, on the same table of losses."""
    kept = 1.0 - subject.losses
    parts = tuple(subject.parts.layout.names)
    machine = functions(Lesions(parts, kept[:, :3]), Lesions(parts, kept[:, 3:]))
    named = subject.truth("localisation", None, np.random.default_rng(0))["function"]
    assert machine["function"].values.tolist() == named.values.tolist()
    assert (subject.losses[:, 3:].any(axis=1) & ~subject.losses[:, :3].any(axis=1)).sum() >= 6


def test_a_silenced_area_ends_the_behaviours_that_use_it_in_a_session_too(subject: TaskAreasSubject) -> None:
    area = 6 + int(subject.uses[:3].any(axis=0).argmax())
    held = np.full(subject.anatomy.sizes["neuron"], np.nan)
    held[area] = 0.0
    session = subject.session(trials=12, duration=0.5, rng=np.random.default_rng(0))
    silenced = session.perturbed(Effect("hold", held, 0.0, 0.5, tuple(range(6))))
    outcome = subject.run(silenced, np.random.default_rng(0))["outcome"].values
    condition = np.array(session.conditions)
    assert np.array_equal(outcome[:6], 1.0 - subject.losses[area][condition[:6]])
    assert (outcome[6:] == 1).all()


def test_lesions_are_right_where_everything_was_watched_and_not_where_half_was(tmp_path: Path) -> None:
    both = (SMALL, TaskAreas(watched=6, capable=6, middle=4, sharing=0.3, idle=2))
    grids = [
        Grid(circuits, (Plan(1600, 0.5),), ("perfect",), methods, stimulators=("ideal",), baselines=False)
        for circuits, methods in ((both, (LESION, TuningLocalisation())), ((SMALL,), (MORE,)))
    ]
    results = simlab.run(Experiment("watched", "?", tuple(grids), subjects=1), tmp_path / "run")
    table = results.table
    assert (table.status == "ok").all(), table.reason
    all_seen = table.circuit_label.str.contains("watched=6")
    lesion, more = (table.method_label == label(m) for m in (LESION, MORE))
    assert table.region_accuracy[lesion & all_seen].item() == 1.0
    assert table.region_accuracy[lesion & ~all_seen].item() < 1.0
    assert table.generic_called_specific[lesion & ~all_seen].item() > 0.0
    assert table.region_accuracy[more & ~all_seen].item() == 1.0
    assert table.region_accuracy[(table.method == "tuning_localisation") & ~all_seen].item() < 1.0
