"""Random features and mixtures of Gabors: good bases, in which no cell has a mechanism of V1."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.coding import visual
from circuits.coding.gabor_mixture import GaborMixture
from circuits.coding.random_features import RandomFeatures
from circuits.coding.v1_complex import V1Complex
from circuits.coding.v1_simple import V1Simple
from circuits.coding.visual import Look
from simlab.contracts import SimlabError
from simlab.data import mean_rates
from simlab.regimes import departures
from simlab.session import Session
from simlab.streams import stream
from simlab.truths import answerable

LOOK = Look(side=6)
BASES = (RandomFeatures(look=LOOK, hidden=100), GaborMixture(look=LOOK, filters=10))
N_FRAMES = 3000


def frames(side: int = 6, n: int = N_FRAMES, kind: str = "white") -> np.ndarray:
    return visual.shown((1, n), side, kind, stream(1, "frames"))


def rates_of(circuit, shown: np.ndarray, number: int = 0) -> np.ndarray:
    """(frame, cell)."""
    return circuit.subject(stream(1, "subject", number)).rates(shown, stream(1, "none"))[0]


def explained(x: np.ndarray, y: np.ndarray, penalty: float = 1e-6) -> np.ndarray:
    """(column of y,): its share of variance in the second half of the samples that ridge on x makes in the first."""
    half = len(x) // 2
    x = (x - x[:half].mean(axis=0)) / np.maximum(x[:half].std(axis=0), 1e-12)
    mean = y[:half].mean(axis=0)
    gram = x[:half].T @ x[:half] + penalty * half * np.eye(x.shape[1])
    said = mean + x[half:] @ np.linalg.solve(gram, x[:half].T @ (y[:half] - mean))
    return 1 - np.square(y[half:] - said).mean(axis=0) / y[half:].var(axis=0)


@pytest.mark.parametrize("circuit", BASES, ids=lambda circuit: circuit.name)
def test_rates_are_about_their_own_medians_and_spikes_those_of_rates_in_the_regime_of_visual_cortex(circuit):
    subject = circuit.subject(stream(1, "subject"))
    session = subject.session(trials=20, duration=10.0, rng=stream(1, "session"))
    done = subject.run(session, stream(1, "run"))
    expected = subject.expected(session, stream(1, "none"))["rate"].values
    assert expected.min() >= 0
    assert mean_rates(done) == pytest.approx(expected.mean(axis=(0, 1)), rel=0.25)
    assert float(np.median(expected.mean(axis=(0, 1)))) == pytest.approx(circuit.mean_rate, rel=0.5)
    assert departures(done, circuit.regime) == ()
    assert answerable(circuit) == ("prediction", "connectivity", "mechanism", "model_choice")
    assert not subject.truth("connectivity", None, stream(1, "truth"))["weight"].values.any()


@pytest.mark.parametrize("circuit", BASES, ids=lambda circuit: circuit.name)
def test_no_cell_is_a_function_of_the_direction_that_its_average_frame_shows(circuit):
    shown = frames(n=12_000)

    def along_average(rates: np.ndarray) -> float:
        """The median cell's share of variance that lies between fortieths of the projection on its average frame."""
        filters = shown[0].T @ (rates - rates.mean(axis=0))
        order = np.argsort(shown[0] @ filters, axis=0)
        sorted_rates = np.take_along_axis(rates, order, axis=0).reshape(40, -1, rates.shape[1])
        return float(np.median(sorted_rates.mean(axis=1).var(axis=0) / rates.var(axis=0)))

    assert along_average(rates_of(V1Simple(look=LOOK), shown)) > 0.9
    assert along_average(rates_of(circuit, shown)) < 0.75


def test_as_many_mixtures_as_there_are_responses_span_simple_and_complex_cells_of_the_bank():
    circuit = GaborMixture(n_neurons=60, filters=10, look=LOOK, rate_spread=0.2)
    shown = frames()
    # an independent route: the bank is what the subject's stream draws first
    pair = visual.gabors(10, LOOK.side, stream(1, "subject", 0))
    first, second = (visual.unit_drive(part, LOOK.side, LOOK.frames) for part in pair)
    simple = np.maximum(shown[0] @ first.T, 0) ** 2
    complex_ = (shown[0] @ first.T) ** 2 + (shown[0] @ second.T) ** 2
    assert explained(rates_of(circuit, shown), np.hstack([simple, complex_]), 1e-10).min() > 0.999
    other = np.maximum(shown[0] @ visual.gabors(10, LOOK.side, stream(2, "other"))[0].T, 0) ** 2
    assert np.median(explained(rates_of(circuit, shown), other, 1e-10)) < 0.9


def test_the_more_random_features_the_better_they_foretell_cells_of_any_kind():
    shown = frames(side=4)
    look = Look(side=4)
    for kind in (V1Simple, V1Complex):
        own = rates_of(kind(n_neurons=8, look=look), shown, number=1)
        told = [
            float(np.median(explained(rates_of(RandomFeatures(n_neurons=n, look=look), shown), own, 1e-3)))
            for n in (10, 60, 400)
        ]
        assert told[0] < told[1] < told[2]
        assert told[2] > 0.5


@pytest.mark.parametrize("circuit", BASES, ids=lambda circuit: circuit.name)
def test_individuals_are_their_seeds_and_look_at_frames_of_their_size(circuit):
    shown = frames(n=50)
    assert np.array_equal(rates_of(circuit, shown), rates_of(circuit, shown))
    assert not np.allclose(rates_of(circuit, shown), rates_of(circuit, shown, number=1))
    subject = circuit.subject(stream(1, "subject"))
    with pytest.raises(SimlabError, match="looks at frames of 36 pixels, got nothing"):
        subject.expected(Session(1, 1.0), stream(1, "none"))
    with pytest.raises(SimlabError):
        type(circuit)(n_neurons=0)
    with pytest.raises(SimlabError):
        type(circuit)(**{"hidden" if circuit.name == "random_features" else "filters": 0})


def test_natural_frames_are_seen_at_the_same_rates():
    natural = Look(side=6, frames="natural")
    for circuit in (RandomFeatures(look=natural, rate_spread=0), GaborMixture(look=natural, rate_spread=0)):
        rates = rates_of(circuit, frames(kind="natural"))
        assert rates.mean() == pytest.approx(circuit.mean_rate, rel=0.25)
