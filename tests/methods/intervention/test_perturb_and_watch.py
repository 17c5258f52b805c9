"""The verdict by experiment, on rigs whose bump stays or returns."""

from __future__ import annotations

import numpy as np
import pytest
import ring_worlds
from ring_worlds import FakeRig

from methods.intervention.perturb_and_watch import PerturbAndWatch, persistence_probability
from simlab.contracts import Budget, Finding
from simlab.data import recording
from simlab.session import Session


def verdicts(n_rigs: int = 8, **world: object) -> list[Finding]:
    return [
        PerturbAndWatch().investigate(FakeRig(seed=seed, **world), np.random.default_rng(seed))  # type: ignore
        for seed in range(n_rigs)
    ]


def share_called_attractor(found: list[Finding]) -> float:
    return float(np.mean([not f.abstained and f.estimate["label"] == "ring attractor" for f in found]))


@pytest.mark.parametrize("shown", [True, False])
def test_a_bump_that_stays_is_an_attractor(shown: bool) -> None:
    found = verdicts(moves=True, shown=shown)
    assert share_called_attractor(found) >= 7 / 8
    assert np.median([f.notes["persistence_index"] for f in found if not f.abstained]) > 0.6


@pytest.mark.parametrize("shown", [True, False])
def test_a_bump_that_returns_is_not(shown: bool) -> None:
    # 7 of 100 rigs are miscalled at this budget (measured); P(more than 3 of 8) < 0.002.
    assert share_called_attractor(verdicts(moves=False, shown=shown)) <= 3 / 8


def test_a_pulse_without_effect_is_an_abstention() -> None:
    found = verdicts(n_rigs=4, moves=False, effect=0.0)
    assert sum("did nothing" in finding.abstained for finding in found) >= 3


@pytest.mark.parametrize(
    "budget",
    [
        Budget(8, 9.0, 3),
        Budget(10, 20.0, 10),
        Budget(13, 17.77, 5),
        Budget(20, 40.0, 4),
        Budget(100, 30.0, 100),
        Budget(40, 500.0, 40),
    ],
)
def test_the_budget_is_never_exceeded_and_sessions_are_few(budget: Budget) -> None:
    rig = FakeRig(remaining=budget)
    finding = PerturbAndWatch().investigate(rig, np.random.default_rng(0))
    assert not finding.abstained or "did nothing" in finding.abstained
    assert rig.sessions == 2
    assert min(rig.remaining.trials, rig.remaining.seconds, rig.remaining.perturbations) >= 0


def test_an_unbounded_budget_is_not_spent_without_end() -> None:
    rig = FakeRig(remaining=Budget())
    PerturbAndWatch(most_trials=20).investigate(rig, np.random.default_rng(0))
    assert rig.sessions == 2


@pytest.mark.parametrize("budget", [Budget(5, 10.0, 5), Budget(20, 3.0, 20), Budget(20, 40.0, 2)])
def test_a_budget_too_small_is_an_abstention_that_spends_nothing(budget: Budget) -> None:
    rig = FakeRig(remaining=budget)
    assert "budget" in PerturbAndWatch().investigate(rig, np.random.default_rng(0)).abstained
    assert rig.remaining == budget


def test_other_candidates_are_an_abstention_that_spends_nothing() -> None:
    rig = FakeRig()
    rig.brief = {"candidates": ("balanced", "common drive")}
    assert (
        "tells ring attractor from its rivals" in PerturbAndWatch().investigate(rig, np.random.default_rng(0)).abstained
    )
    assert rig.sessions == 0


def test_too_few_units_are_an_abstention() -> None:
    finding = PerturbAndWatch().investigate(FakeRig(n_units=4), np.random.default_rng(0))
    assert "at least 6" in finding.abstained


def test_fluorescence_is_an_abstention() -> None:
    class Imaged(FakeRig):
        def record(self, session: Session) -> object:  # type: ignore[override]
            shape = (session.trials, 20, self.n_units)
            return recording(
                duration=session.duration, n_units=self.n_units, n_trials=session.trials,
                signal=np.zeros(shape), modality="fluorescence", sample_time=np.arange(20) * session.duration / 20,
            )  # fmt: skip

    assert "needs spikes" in PerturbAndWatch().investigate(Imaged(), np.random.default_rng(0)).abstained


def test_controls_are_left_unpulsed_and_targets_prefer_neighbouring_angles() -> None:
    asked: list[Session] = []

    class Watched(FakeRig):
        def record(self, session: Session) -> object:  # type: ignore[override]
            asked.append(session)
            return super().record(session)

    rig = Watched()
    PerturbAndWatch().investigate(rig, np.random.default_rng(0))
    natural, pulsed = asked
    assert natural.n_perturbed_trials() == 0
    assert 0 < pulsed.n_perturbed_trials() < pulsed.trials
    for pulse in pulsed.perturbations:
        assert pulse.start > ring_worlds.CUE
        assert np.abs(np.exp(1j * rig.preferred[list(pulse.targets)]).mean()) > 0.8  # type: ignore[union-attr]


def test_the_probability_is_even_when_the_error_swamps_the_push() -> None:
    assert persistence_probability(0.1, 0.0, 5.0, 20) == pytest.approx(0.5, abs=0.01)
    assert persistence_probability(1.0, 1.0, 0.1, 20) > 0.95
    assert persistence_probability(1.0, 0.0, 0.1, 20) < 0.15
