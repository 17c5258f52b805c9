"""The integrate-and-fire transfer function against quadrature, its noise-free limit and a simulation."""

import jax
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erfcx

from simlab.simulators.transfers import integrate_and_fire
from simlab.streams import stream

NEURON = {"threshold": 0.02, "reset": 0.01, "time_constant": 0.02, "refractory": 0.002}


def rate(drive, noise, dt=0.0):
    with jax.enable_x64(True):
        return np.asarray(integrate_and_fire(np.atleast_1d(drive), **NEURON, noise=noise, dt=dt))


@pytest.mark.parametrize("noise", [0.002, 0.005])
def test_it_is_siegerts_integral(noise):
    for drive in (0.0, 0.01, 0.02, 0.03, 0.1):
        low, high = ((v - drive) / (np.sqrt(2) * noise) for v in (0.01, 0.02))
        integral = quad(lambda x: erfcx(-x), low, high, epsabs=0, epsrel=1e-11)[0]
        assert rate(drive, noise)[0] == pytest.approx(1 / (0.002 + 0.02 * np.sqrt(np.pi) * integral), rel=1e-6)


def test_without_noise_it_is_the_time_from_reset_to_threshold():
    expected = 1 / (0.002 + 0.02 * np.log((0.03 - 0.01) / (0.03 - 0.02)))
    assert rate(0.03, 1e-4)[0] == pytest.approx(expected, rel=1e-3)


def test_far_below_threshold_the_rate_vanishes_and_stays_finite():
    assert np.allclose(rate([-10.0, -0.2], 0.002), 0, atol=1e-100)


def test_it_is_the_rate_of_an_euler_simulation_at_that_step():
    drive, noise, dt, n = 0.018, 0.004, 5e-4, 4000
    rng = stream(1, "lif")
    voltage, free_from, spikes = np.zeros(n), np.zeros(n), 0
    for step in range(2200):
        kick = noise * np.sqrt(2 * dt / 0.02) * rng.standard_normal(n)
        voltage = np.where(step >= free_from, voltage + dt / 0.02 * (drive - voltage) + kick, voltage)
        fired = voltage > 0.02
        voltage[fired], free_from[fired] = 0.01, step + 1 + round(0.002 / dt) - 1
        spikes += int(fired.sum()) if step >= 200 else 0
    # 4000 neurons x 1 s near 20 Hz: 8e4 spikes, standard error below 0.4% (they are more regular than Poisson). The
    # barrier shift is of first order in the step's spread (1.2 mV of 10): what is left is of its square, about 2%.
    assert spikes / n == pytest.approx(rate(drive, noise, dt)[0], rel=0.03)
    assert abs(spikes / n / rate(drive, noise)[0] - 1) > 0.08
