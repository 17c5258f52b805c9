"""Maps are right where areas that serve a behaviour are the busier in it; what they get wrong; nothing in noise."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from circuits.causal.task_areas import TaskAreas
from methods.roles._contrasts import canonical_design, contrasts
from methods.roles.activation_map import ActivationMap
from simlab.data import recording
from simlab.instruments.recording.bold import Bold
from simlab.instruments.recording.field_potential import FieldPotential
from simlab.questions.localisation import Localisation

FUNCTIONS = ("behaviour 0", "behaviour 1", "behaviour 2", "generic", "none")
SCANNER = Bold(repetition_time=2.0, reference=40.0)
"""Areas of one neuron fire at 40 Hz when they are on."""


def scan(signal: np.ndarray, condition: np.ndarray, *, every: float = 2.0, modality: str = "haemodynamics"):
    """A recording of signals (trial, sample, unit)."""
    trials, samples, n_units = signal.shape
    made = recording(
        duration=samples * every, n_units=n_units, n_trials=trials, signal=signal, modality=modality, signal_units="%",
        sample_time=(np.arange(samples) + 0.5) * every, condition=condition,
    )  # fmt: skip
    return made.assign_attrs(brief={"functions": FUNCTIONS})


def named(seen: xr.Dataset) -> list[str]:
    return ActivationMap().analyse(seen, np.random.default_rng(0)).estimate["function"].tolist()


def on_areas(watched: int, capable: int, instrument: object) -> dict[str, float]:
    """How the map of an animal with these behaviours is scored."""
    circuit = TaskAreas(watched=watched, capable=capable, middle=5, sharing=0.35, idle=0)
    subject, question = circuit.subject(np.random.default_rng(3)), Localisation()
    session = subject.session(trials=45, duration=6.0, rng=np.random.default_rng(1))
    implant = instrument.implant(subject.anatomy, np.random.default_rng(3))  # type: ignore[attr-defined]
    seen = implant.record(subject.run(session, np.random.default_rng(2)), np.random.default_rng(4))
    told = subject.truth("localisation", None, np.random.default_rng(0))
    seen.attrs["brief"] = question.brief((), told)
    found = ActivationMap().analyse(seen, np.random.default_rng(0))
    return question.score(found, question.project(told, implant.key))


@pytest.mark.parametrize("instrument", [SCANNER, FieldPotential()], ids=lambda i: i.name)
def test_areas_are_named_rightly_where_the_busy_ones_are_the_ones_that_serve(instrument: object) -> None:
    assert on_areas(3, 3, instrument)["region_accuracy"] == 1.0
    seen_in_part = on_areas(3, 9, instrument)
    assert seen_in_part["generic_called_specific"] > 0  # other behaviours need them too, and nobody watched


@pytest.mark.parametrize("modality", ["haemodynamics", "field potential"])
def test_noise_lights_nothing_up_and_slow_noise_neither(modality: str) -> None:
    rng, condition = np.random.default_rng(0), np.random.default_rng(1).permutation(np.arange(60) % 3)
    white = rng.normal(size=(60, 4, 30))
    slow = white.reshape(-1, 30).copy()
    for k in range(1, len(slow)):
        slow[k] += 0.5 * slow[k - 1]
    for signal in (white, slow.reshape(white.shape)):
        lit = sum(label != "none" for label in named(scan(signal, condition, modality=modality)))
        assert lit <= 2  # anything false in 5% of maps; then mostly one of 30


def test_what_all_behaviours_engage_alike_is_missed_and_a_bystander_is_named() -> None:
    condition = np.random.default_rng(1).permutation(np.arange(60) % 3)
    regressors = canonical_design(scan(np.zeros((60, 3, 1)), condition), 3)
    driven = np.column_stack([regressors.sum(axis=1), regressors[:, 1], regressors[:, 0] + regressors[:, 2]])
    signal = driven.reshape(60, 3, 3) + 0.1 * np.random.default_rng(2).normal(size=(60, 3, 3))
    # the first serves all three and shows it in no contrast; the second may be of no use to anybody
    assert named(scan(signal, condition)) == ["none", "behaviour 1", "generic"]


def test_the_design_is_the_response_to_a_trial_and_contrasts_are_those_of_least_squares() -> None:
    condition = np.array([0, *([1] * 11)])
    column = canonical_design(scan(np.zeros((12, 2, 1)), condition), 2)[:, 0]
    when = (np.arange(24) + 0.5) * 2
    assert when[column.argmax()] == pytest.approx(5 + 2, abs=1.01)  # 5 s after the middle of a trial of 4 s
    assert column.sum() * 2 == pytest.approx(4.0, rel=0.05)  # the response's integral is 1
    rng = np.random.default_rng(0)
    design, y = np.repeat(np.eye(2), 20, axis=0), rng.normal(size=(40, 1))
    y[:20] += 1.0
    t, p = contrasts(y, design)
    from scipy.stats import ttest_ind

    expected = ttest_ind(y[:20, 0], y[20:, 0], equal_var=False)
    assert t[0, 0, 1] == pytest.approx(expected.statistic, rel=0.25)  # of white noise; here it may follow itself
    assert p[0, 0, 1] + p[0, 1, 0] == pytest.approx(1.0)
    assert (contrasts(np.ones((40, 1)), design)[1] == 1).all()


def test_it_abstains_without_conditions_behaviours_or_trials() -> None:
    rng, condition = np.random.default_rng(0), np.arange(12) % 3
    signal = rng.normal(size=(12, 2, 4))
    method = ActivationMap()
    for seen, reason in (
        (scan(signal, condition).drop_vars("condition"), "conditions"),
        (scan(signal, condition).assign_attrs(brief={}), "two behaviours"),
        (scan(signal[:5], condition[:5]), "at least two trials"),
        (scan(signal[:6, :1], condition[:6]), "samples are too few"),
        (scan(signal[:, :1], condition, modality="field potential"), "two samples"),
        (scan(signal, condition, modality="fluorescence"), "needs haemodynamics or field potential"),
    ):
        assert reason in method.analyse(seen, rng).abstained


def test_electrodes_and_voxels_are_asked_about_their_own_region_and_not_the_loudest_neuron() -> None:
    from circuits.causal.microprocessor import Microprocessor

    subject = Microprocessor().subject(np.random.default_rng(0))
    told = subject.truth("localisation", None, np.random.default_rng(0))
    names = np.unique(subject.anatomy["region"].values.astype(str))
    for instrument in (Bold(), FieldPotential()):
        implant = instrument.implant(subject.anatomy, np.random.default_rng(0))
        assert len(np.unique(Localisation().project(told, implant.key)["area"])) == len(names)
