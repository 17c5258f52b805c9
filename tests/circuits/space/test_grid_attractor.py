"""The torus attractor: its shape, its neutral directions, its path integration and its drift, each by another route."""

from dataclasses import replace

import numpy as np
import pytest

from circuits.space.foraging import places
from circuits.space.grid_attractor import GridAttractor, betti
from circuits.space.grid_sheet import DT, LATTICE, hexagon, hexagons, phases, wrapped
from simlab.contracts import SimlabError
from simlab.session import Effect, Session
from simlab.simulators.rates import settle, simulate
from simlab.streams import stream

CIRCUIT = GridAttractor(n_neurons=256)
BLIND = replace(CIRCUIT, landmarks=0.0)


def run_of(circuit, trials, duration, seed=1):
    """Subject, session and rates of the whole sheet (trial, step, neuron)."""
    subject = circuit.subject(stream(seed, "subject"))
    session = subject.session(trials=trials, duration=duration, rng=stream(seed, "session"))
    rates = subject.rates(session, stream(seed, "run"))
    whole = np.zeros_like(rates)
    whole[:, :, subject.recorded] = rates
    return subject, session, whole


def astray(subject, session, rates):
    """How far (trial, step, 2) [m] the decoded place is from the real one."""
    off = subject.circuit.sheet.decoded(rates) - subject.modules[0].phase(places(session))
    return wrapped(off) @ LATTICE * subject.circuit.spacing


@pytest.fixture(scope="module")
def natural():
    return run_of(CIRCUIT, 2, 8.0)


@pytest.fixture(scope="module")
def blind():
    return run_of(BLIND, 32, 5.0)


@pytest.mark.slow
def test_states_make_a_torus_by_persistence_too():
    gudhi = pytest.importorskip("gudhi.sklearn")
    states = CIRCUIT.sheet.manifold[np.indices((16, 16)).sum(axis=0) % 2 == 0]  # every other one, as on a chessboard
    bars = gudhi.RipsPersistence([0, 1, 2], homology_coeff_field=3).fit_transform([states])[0]
    lives = [np.sort((b[:, 1] - b[:, 0])[np.isfinite(b[:, 1])])[::-1] for b in bars]
    assert [int((life > 0.6 * lives[1][0]).sum()) for life in lives] == [0, 2, 1]  # and a component that never ends
    assert betti(CIRCUIT) == (1, 2, 1)


def test_two_modules_make_the_product_of_two_tori():
    assert betti(replace(CIRCUIT, modules=2)) == (1, 4, 6)  # binomials: a torus of four dimensions


def test_the_tiles_states_moved_about_are_those_that_dynamics_reach():
    sheet = CIRCUIT.sheet
    some = np.array([[3, 4], [10, 7], [15, 0]])
    reached = sheet.states(phases(16).reshape(16, 16, 2)[some[:, 0], some[:, 1]])
    assert np.allclose(reached, sheet.manifold[some[:, 0], some[:, 1]], atol=1e-3 * reached.max())


def test_a_bump_has_exactly_two_directions_in_which_pushes_decay_slowly_and_it_is_not_caught():
    sheet = CIRCUIT.sheet
    bump = sheet.states(np.zeros((1, 2)), duration=1.0)
    rates = np.sort(np.linalg.eigvals(sheet.network().jacobian(bump[0])).real)[::-1]
    # Neutral but for the 16 places along a period: that catches a bump within a twentieth of a period, and no further.
    assert np.abs(rates[:2]).max() < 5
    assert rates[2] < -40
    starts = sheet.states(np.random.default_rng(0).uniform(0, 1, (4, 2)))
    crept = wrapped(sheet.decoded(settle(sheet.network(), starts, duration=5.0, dt=2e-3)) - sheet.decoded(starts))
    assert np.abs(crept).max() < 0.06


def test_factors_of_the_weights_and_of_landmarks_cosines_change_nothing_but_the_time():
    sheet = CIRCUIT.sheet
    first, second = sheet.factors
    assert first.shape[1] < 50
    noisy, session, start = sheet.network(noisy=True), Session(2, 0.2), sheet.states(np.zeros((2, 2)))
    whole, quick = (
        simulate(network, session, stream(1, "run"), dt=DT, sample_interval=0.01, initial=start)[1]
        for network in (noisy, replace(noisy, factors=sheet.factors))
    )
    assert np.allclose(whole, quick, atol=1e-4 * whole.max())
    assert whole.std(axis=0).max() > 0.1  # Hz: the two trials have noise of their own
    centre = np.random.default_rng(0).uniform(-3, 3, (4, 5, 2))
    assert np.allclose(hexagons(phases(16), centre), hexagon(phases(16) - centre[:, :, None]))
    with pytest.raises(SimlabError, match="take more modes"):
        replace(noisy, factors=(first[:, :3], second[:3]))


def test_without_surround_there_is_no_bump_and_it_says_so():
    with pytest.raises(SimlabError, match="raise surround"):
        GridAttractor(surround=1.01).subject(stream(1))


def test_peaks_are_those_of_grid_cells(natural):
    peaks = natural[2].max(axis=(0, 1))
    assert 5 < np.median(CIRCUIT.sheet.manifold.max(axis=(0, 1))) < 20  # Hz (Hafting et al. 2005)
    assert np.median(peaks) < 25  # with the network's noise


def test_with_landmarks_the_bump_stays_at_the_place(natural):
    error = np.linalg.norm(astray(*natural), axis=-1)
    assert np.sqrt((error**2).mean()) < 0.03


def test_noise_free_it_integrates_its_path_to_a_few_centimetres():
    error = np.linalg.norm(astray(*run_of(replace(BLIND, pooled_fano=0.0), 2, 12.0)), axis=-1)
    assert error[:, -1].max() < 0.05  # 1 m of path in 12 s


def test_noise_alone_makes_it_drift_as_the_theory_says(blind):
    error = astray(*blind)[:, 100:]
    lag = 200  # 2 s
    moved = error[:, lag:] - error[:, :-lag]
    measured = np.square(moved).mean() / 2.0
    # 32 trials x 2 axes, about two independent lags each: standard error of a variance 13%; integration adds its own.
    assert measured / float(BLIND.drift()[0]) == pytest.approx(1.0, abs=0.4)


def test_a_push_moves_the_bump_for_good():
    sheet = CIRCUIT.sheet
    bump = sheet.states(np.zeros((1, 2)))
    aside = np.where(np.linalg.norm(wrapped(phases(16) - [0.2, 0.0]) @ LATTICE, axis=1) < 0.15, sheet.drive, 0.0)
    pushed = settle(sheet.network(), bump, duration=0.1, dt=2e-3, current=aside)
    soon, late = (sheet.decoded(settle(sheet.network(), pushed, duration=d, dt=2e-3))[0, 0] for d in (0.2, 1.0))
    assert soon > 0.05
    assert late == pytest.approx(soon, abs=0.03)


def test_a_held_neuron_is_held_and_asleep_the_bump_goes_on_moving():
    circuit = GridAttractor(n_neurons=40, asleep=0.5)
    subject = circuit.subject(stream(2, "subject"))
    session = subject.session(trials=2, duration=4.0, rng=stream(2, "session"))
    hold = np.where(np.arange(40) == 3, 60.0, np.nan)
    rates = subject.rates(session.perturbed(Effect("hold", hold, 1.0, 2.0)), stream(2, "run"))
    assert np.allclose(rates[:, 110:190, 3], 60.0, rtol=1e-3)
    turnover = np.corrcoef(rates[1, 0], rates[1, -1])[0, 1]
    assert turnover < 0.9
    assert rates[1].mean() == pytest.approx(rates[0].mean(), rel=0.3)
