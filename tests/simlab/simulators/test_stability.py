"""A simulation that runs away ends with when, where, and which step would do."""

import numpy as np
import pytest

from simlab.contracts import SimlabError
from simlab.session import Session
from simlab.simulators.spiking import Population, SpikingNetwork, simulate

DECAY = "dv/dt = -v/tau : 1\ntau : second (shared, constant)"
SQUARE = "dv/dt = v**2/(100*ms) : 1"


def ran(neurons, dt=1e-4, duration=0.5, **options):
    network = SpikingNetwork((Population(1, DECAY, parameters={"tau": 1.0}), neurons), name="toy")
    return simulate(network, Session(2, duration), np.random.default_rng(0), dt=dt, burn_in=0.0, **options)


def decaying(tau):
    return Population(3, DECAY, parameters={"tau": tau}, initial={"v": np.array([0.0, 1.0, 0.0])})


@pytest.mark.parametrize(("tau", "would_do"), [(4e-5, "5e-05"), (1e-5, "1.25e-05")])
def test_an_unstable_step_is_named_with_one_that_would_do(tau, would_do):
    # Euler's factor per step is 1 - dt/tau: it grows without end above dt = 2 tau, and decays below.
    with pytest.raises(SimlabError) as caught:
        ran(decaying(tau))
    factor = abs(1 - 1e-4 / tau)
    step = np.floor(np.log(np.finfo(float).max) / np.log(factor))
    assert str(caught.value).startswith("toy: v of neuron 2 became")
    when = float(str(caught.value).split(" at ")[1].split(" s of trial 0")[0])
    assert when == pytest.approx(step * 1e-4, abs=1.01e-4)
    assert str(caught.value).endswith(f"dt={would_do} would do")
    assert ran(decaying(tau), dt=float(would_do), duration=0.05) is not None


def test_equations_that_run_away_by_themselves_are_told_from_a_step_that_is_too_long():
    # v = 1/(1/v0 - t/tau) is infinite at t = tau/v0 = 50 ms, whatever the step.
    with pytest.raises(SimlabError, match="the equations themselves run away") as caught:
        ran(Population(2, SQUARE, initial={"v": np.array([0.5, 2.0])}), duration=0.1)
    assert "neuron 2 " in str(caught.value)
    assert float(str(caught.value).split(" at ")[1].split(" s of")[0]) == pytest.approx(0.05, abs=0.002)


def test_the_reference_says_when_it_lost_a_number():
    with pytest.raises(SimlabError, match=r"toy: v of neuron 2 .* at 0\.\d+ s .*take a shorter step"):
        ran(decaying(1e-5), engine="brian2")
