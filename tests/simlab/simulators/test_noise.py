"""Noise in common: both engines give sharing neurons the correlation that was asked for."""

import numpy as np
import pytest

from simlab.contracts import SimlabError
from simlab.session import Session
from simlab.simulators import rates, spiking
from simlab.streams import stream

SOURCE = np.array([0, 1, 0, 1])


def linear(drive):
    return drive


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_rate_units_share_the_part_of_their_noise_that_was_asked_for(share):
    network = rates.RateNetwork(np.zeros((4, 4)), 1e-3, linear, input_noise=1.0, noise_source=SOURCE, noise_share=share)
    _, rate = rates.simulate(network, Session(10, 1.0), stream(1), dt=1e-3, sample_interval=1e-3)
    noise = rate[:, 1:].reshape(-1, 4)
    # 10^4 samples: standard error of a correlation 0.01. Two halves a, b of variance s and 1 - s correlate by sqrt(s).
    expected = np.eye(4)
    expected[[0, 1, 2, 3], [2, 3, 0, 1]] = np.sqrt(share)
    assert np.allclose(np.corrcoef(noise.T), expected, atol=0.04)
    assert np.allclose(noise.std(axis=0), 1.0, atol=0.03)


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_spiking_neurons_that_share_all_noise_fire_together(share):
    neurons = spiking.Population(
        4,
        "dv/dt = -v/tau + 2*sqrt(2/(tau*dt))*eta : 1\ntau : second (shared, constant)",
        threshold="v > 2",
        reset="v = 0",
        parameters={"tau": 0.01},
        initial={"v": np.zeros(4)},
    )
    network = spiking.SpikingNetwork((neurons,), noise_source=SOURCE, noise_share=share)
    spikes = spiking.simulate(network, Session(10, 1.0), stream(1), dt=5e-4, burn_in=0.0)
    trains = [
        set(zip(spikes.trial[spikes.neuron == i], spikes.time[spikes.neuron == i], strict=True)) for i in range(4)
    ]
    assert len(trains[0]) > 100
    common = len(trains[0] & trains[2]) / len(trains[0])
    assert common == 1.0 if share == 1.0 else 0.02 < common < 0.9
    assert len(trains[0] & trains[1]) / len(trains[0]) < 0.1


def test_sources_that_make_no_sense_are_refused():
    def network(source, share=1.0):
        return rates.RateNetwork(np.zeros((4, 4)), 1e-3, linear, noise_source=np.array(source), noise_share=share)

    with pytest.raises(SimlabError, match="one neuron index per neuron"):
        network([0, 1])
    with pytest.raises(SimlabError, match=r"lie in 0\.\.3"):
        network([0, 1, 2, 4])
    with pytest.raises(SimlabError, match="noise of its own"):
        network([0, 0, 1, 3])
    with pytest.raises(SimlabError, match="noise_share"):
        network(SOURCE, 1.5)
