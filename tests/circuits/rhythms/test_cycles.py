"""Limit cycles: an unstable rest, one period for the noise-free orbit and the noisy spectrum, and a ring of states."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.rhythms.limit_cycle import LimitCycle
from circuits.rhythms.motor_cpg import PERIOD, MotorCPG
from simlab.contracts import SimlabError
from simlab.session import Effect, Session

CASES = {"limit_cycle": (LimitCycle(), Session(12, 1.0)), "motor_cpg": (MotorCPG(), Session(6, 10.0))}


@pytest.fixture(scope="module", params=CASES)
def run(request):
    circuit, session = CASES[request.param]
    subject = circuit.subject(np.random.default_rng(1))
    return subject, subject.run(session, np.random.default_rng(2))


def spectral_peak(rate: np.ndarray, step: float) -> float:
    """Of rates (trial, time, neuron), mean over neurons and trials of padded spectra [Hz]."""
    n = 8 * rate.shape[1]
    power = (np.abs(np.fft.rfft(rate - rate.mean(axis=1, keepdims=True), n, axis=1)) ** 2).mean(axis=(0, 2))
    return float(np.fft.rfftfreq(n, step)[np.argmax(power)])


def test_a_noisy_spectrum_peaks_where_the_noise_free_orbit_says(run) -> None:
    subject, activity = run
    truth = subject.truth("oscillation", activity, np.random.default_rng(0))
    step = float(activity["time"][1] - activity["time"][0])
    assert spectral_peak(activity["rate"].values, step) == pytest.approx(float(truth["frequency"]), rel=0.05)


def test_states_lie_on_a_ring_and_the_label_says_so(run) -> None:
    subject, activity = run
    rng = np.random.default_rng(0)
    assert [int(v) for v in subject.truth("topology", activity, rng).values()] == [1, 1, 0]
    assert str(subject.truth("dynamics", activity, rng)["label"].values) == "limit cycle"


def test_the_resting_state_is_unstable_and_another_integrator_finds_the_same_period() -> None:
    from scipy.integrate import solve_ivp

    from simlab.simulators.rates import fixed_point

    circuit = LimitCycle(drive_spread=0.0)
    subject = circuit.subject(np.random.default_rng(1))
    rest = fixed_point(subject.network, subject.orbit.rates.mean(axis=0))
    assert rest.eigenvalues[0].real > 0
    assert rest.eigenvalues[0].imag != 0

    def transfer(drive, slope, threshold):
        return 1 / (1 + np.exp(-slope * (drive - threshold))) - 1 / (1 + np.exp(slope * threshold))

    def two_means(_, x):
        return (
            (transfer(16 * x[0] - 12 * x[1] + circuit.drive, 1.3, 4.0) - x[0]) / circuit.time_constant,
            (transfer(15 * x[0] - 3 * x[1], 2.0, 3.7) - x[1]) / circuit.time_constant,
        )

    found = solve_ivp(two_means, (0, 1.0), (0.1, 0.1), max_step=1e-3, rtol=1e-8, dense_output=True)
    times = np.arange(0.4, 1.0, 1e-4)
    e = found.sol(times)[0]
    onsets = times[1:][(e[1:] > 0.2) & (e[:-1] <= 0.2)]
    # Euler's steps, an eightieth of tau, make the cycle slower by 3% (and by 14% at a sixteenth: measured)
    assert np.diff(onsets).mean() == pytest.approx(subject.orbit.period, rel=0.05)


def test_a_network_that_comes_to_rest_is_refused() -> None:
    with pytest.raises(SimlabError, match="activity must go round a cycle"):
        LimitCycle(drive=0.0).subject(np.random.default_rng(1))
    with pytest.raises(SimlabError, match="activity must go round a cycle"):
        MotorCPG(adaptation=0.1).subject(np.random.default_rng(1))


def test_unlike_strengths_make_the_same_rhythm() -> None:
    drawn = [MotorCPG().prior(np.random.default_rng(seed)) for seed in range(6)]
    periods = np.array([circuit.orbit().period for circuit in drawn])
    assert ((periods >= PERIOD[0]) & (periods <= PERIOD[1])).all()
    alike = min(
        (abs(np.log(periods[i] / periods[j])), -abs(np.log(drawn[i].trailing / drawn[j].trailing)))
        for i in range(6) for j in range(i)
        if max(drawn[i].trailing / drawn[j].trailing, drawn[j].trailing / drawn[i].trailing) > 1.5
    )  # fmt: skip
    assert alike[0] < 0.15  # two with one period, of strengths half as large again


def test_groups_of_the_pattern_fire_one_after_another() -> None:
    circuit = MotorCPG()
    orbit = circuit.subject(np.random.default_rng(1)).orbit
    onsets = [orbit.onsets(int(np.argmax(circuit.group == g))) for g in range(3)]
    phases = [((found[1] - onsets[0][0]) / orbit.period) % 1 for found in onsets]
    assert 0.2 < phases[1] < 0.5 < phases[2] < 0.8


def test_silencing_a_group_stops_the_rhythm_of_three() -> None:
    circuit = MotorCPG()
    subject = circuit.subject(np.random.default_rng(1))
    held = np.where(circuit.group == 1, 0.0, np.nan)
    session = Session(4, 10.0).perturbed(Effect("hold", held, 0.0, 10.0))
    free, silenced = (subject.run(s, np.random.default_rng(2)) for s in (Session(4, 10.0), session))
    assert silenced["rate"].values[:, :, circuit.group == 1].max() < 0.05
    before, after = (spectral_peak(a["rate"].values[:, :, circuit.group != 1], 0.01) for a in (free, silenced))
    assert abs(after / before - 1) > 0.05
