"""The balanced network: in the state that it claims, and wired as its truth says."""

from dataclasses import replace

import numpy as np
import pytest
from spiking_bench import count_correlations, fired, interval_cvs, kick_session, spontaneous, subject

import simlab
from circuits.networks.balanced_ei import BalancedEI
from simlab.contracts import SimlabError
from simlab.data import mean_rates
from simlab.session import Effect, Session

JUMPS = {"synaptic_time_constant": 0.0, "epsp_spread": 0.5, "ipsp_spread": 0.0}
"""Potentials that jump, none of them too small to fire a neuron just below threshold."""


def test_rates_are_those_of_cortex():
    rates = mean_rates(spontaneous("balanced_ei"))
    # Spontaneous and evoked cortical rates: a few Hz, skewed (Hromadka 2008; Buzsaki & Mizuseki 2014).
    assert 1 < rates.mean() < 15
    assert rates.min() > 0.5
    assert rates.max() < 50


def test_firing_is_irregular():
    cvs = interval_cvs(spontaneous("balanced_ei"))
    assert 0.7 < cvs.mean() < 1.3  # Softky & Koch 1993; Shinomoto et al. 2003


def test_firing_is_asynchronous():
    pairs = count_correlations(spontaneous("balanced_ei"))
    assert 0 < pairs.mean() < 0.1  # Ecker et al. 2010 (0.01); Renart et al. 2010 (near 0); Cohen & Kohn 2011 (0.1)
    assert np.abs(pairs).max() < 0.5


def test_connected_pairs_correlate_with_the_sign_of_their_synapse():
    network, activity = subject("balanced_ei"), spontaneous("balanced_ei")
    matrix = np.zeros(network.weights.shape)
    matrix[np.triu_indices(len(matrix), 1)] = count_correlations(activity)
    matrix += matrix.T
    apart = (network.weights == 0) & (network.weights.T == 0)
    base = matrix[apart & ~np.eye(len(matrix), dtype=bool)].mean()
    # 1200 bins: one pair is known to 0.029, the mean of ~190 inhibitory or ~800 excitatory ones to 0.002.
    assert matrix[network.weights > 0].mean() > base + 0.006
    assert matrix[network.weights < 0].mean() < base - 0.006


def test_the_wiring_is_sparse_and_obeys_dales_law():
    weights, kinds = subject("balanced_ei").weights, BalancedEI().cell_types()
    assert np.all(weights[kinds == "E"] >= 0)
    assert np.all(weights[kinds == "I"] <= 0)
    assert np.all(np.diag(weights) == 0)
    # 9900 pairs at 10%: 0.1 +- 0.003.
    assert abs((weights != 0).sum() / 9900 - 0.1) < 0.01
    # ~790 lognormal EPSPs of mean 0.77 mV and sd 0.92 mV: +- 0.033 mV, of log sd +- 0.024; ~200 IPSPs: +- 0.15 mV.
    assert abs(weights[weights > 0].mean() - 0.77e-3) < 0.12e-3
    assert abs(np.log(weights[weights > 0]).std() - 0.94) < 0.1
    assert abs(weights[weights < 0].mean() + 4 * 0.77e-3) < 0.5e-3
    assert abs(np.log(-weights[weights < 0]).std() - 0.6) < 0.1


def test_a_synapses_potential_peaks_at_the_weight_that_the_truth_names_whatever_its_currents_decay():
    """Silent neurons, of which in each trial another fires once; the others' potentials are recorded."""
    from simlab.simulators.spiking import Record, simulate

    for decay in (0.0, 2e-3):
        circuit = BalancedEI(
            n_neurons=12, connection_probability=0.4, external_mean=0.0, external_mean_spread=0.0, external_sd=1e-9,
            synaptic_time_constant=decay,
        )  # fmt: skip
        network, n, dt = circuit.subject(np.random.default_rng(5)), 12, circuit.dt
        pulses = tuple(
            Effect("drive", np.where(np.arange(n) == i, 400.0, 0.0), 1e-3, 1e-3 + dt, trials=(i,)) for i in range(n)
        )
        session = Session(n, 0.03, perturbations=pulses)
        spikes = simulate(
            network.network, session, np.random.default_rng(0), burn_in=0.4, dt=dt, record=Record(("v",), dt)
        )
        assert np.array_equal(spikes.neuron, np.arange(n))
        moved = spikes.samples["v"].astype(float) - circuit.rest
        moved[np.arange(n), :, np.arange(n)] = 0.0
        peak = np.where(moved.max(axis=1) > -moved.min(axis=1), moved.max(axis=1), moved.min(axis=1))
        truth = network.truth("connectivity", None, np.random.default_rng(0))["weight"].values
        np.testing.assert_allclose(peak, truth, rtol=0.04, atol=2e-6)


def test_a_spike_of_each_neuron_moves_exactly_the_neurons_that_the_truth_names_with_its_sign():
    """Noise-free stimulation: all neurons are held 20 uV below threshold, one is made to fire, then all are probed.

    An EPSP fires its target just after the delay; an IPSP keeps its target from answering the probe; a neuron
    without a synapse from the one that fired answers the probe like everyone else.
    """
    circuit = BalancedEI(n_neurons=30, connection_probability=0.3, external_sd=1e-9, delay=(2e-3, 2e-3), **JUMPS)
    network = circuit.subject(np.random.default_rng(5))
    hold = (circuit.threshold - 20e-6 - circuit.rest - network.external) / (circuit.threshold - circuit.rest)
    activity = network.run(kick_session(hold), np.random.default_rng(0))
    assert np.array_equal(fired(activity, 0.25, 0.3015), np.eye(30, dtype=bool))
    excited, answered = fired(activity, 0.3015, 0.303), fired(activity, 0.303, 0.305)
    response = excited.astype(int) - (~excited & ~answered)
    np.fill_diagonal(response, 0)
    truth = network.truth("connectivity", None, np.random.default_rng(0))["weight"]
    assert truth.dims == ("pre", "post")
    assert np.array_equal(response, np.sign(truth.values))


def test_a_twin_without_synapses_moves_nobody():
    circuit = BalancedEI(n_neurons=10, connection_probability=0.0, external_sd=1e-9)
    network = circuit.subject(np.random.default_rng(5))
    hold = (circuit.threshold - 20e-6 - circuit.rest - network.external) / (circuit.threshold - circuit.rest)
    activity = network.run(kick_session(hold), np.random.default_rng(0))
    assert np.array_equal(fired(activity, 0.25, 0.303), np.eye(10, dtype=bool))
    assert not network.truth("connectivity", None, np.random.default_rng(0))["weight"].values.any()


def test_mean_field_theory_predicts_each_neurons_rate():
    network, activity = subject("balanced_ei"), spontaneous("balanced_ei")
    ratio = mean_rates(activity) / network.working_point.rate
    # The diffusion approximation treats large IPSPs as noise, and so is a few per cent high.
    assert 0.9 < ratio.mean() < 1.02
    assert np.corrcoef(mean_rates(activity), network.working_point.rate)[0, 1] > 0.95


def test_silenced_neurons_fall_silent_and_clamped_ones_keep_their_rate():
    network = subject("balanced_ei")
    silence = Effect("drive", -10.0 * np.where(np.arange(100) < 50, 1.0, 0.0), 0.1, 0.6)
    clamp = Effect("hold", np.where(np.arange(100) == 70, 40.0, np.nan), 0.1, 0.6)
    activity = network.run(Session(4, 0.6, perturbations=(silence, clamp)), np.random.default_rng(3))
    late = activity["spike_time"].values >= 0.105
    neuron = activity["spike_neuron"].values[late]
    assert not np.any(neuron < 50)
    assert abs(np.sum(neuron == 70) - 4 * 0.5 * 40) <= 4
    assert np.any(neuron > 70)


@pytest.mark.parametrize(
    ("change", "outside"),
    [({"external_mean": 0.0}, "silent"), ({"external_mean": 60e-3}, "rate 1")],
)
def test_a_network_that_sleeps_or_runs_away_does_not_pass_for_one(change, outside):
    report = simlab.check(BalancedEI(n_neurons=10, **change), raises=False)
    assert report.failures[-1].fact == "its activity stays in the regime that it states"
    assert outside in report.failures[-1].message


def test_its_prior_draws_each_parameter_anew():
    drawn = [BalancedEI().prior(np.random.default_rng(k)) for k in range(20)]
    assert len({d.epsp for d in drawn}) == 20
    assert all(0.05 <= d.connection_probability <= 0.2 and 9e-3 <= d.external_mean <= 14e-3 for d in drawn)


def test_subjects_differ_and_a_seed_brings_one_back():
    first, again, other = (BalancedEI().subject(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.weights, again.weights)
    assert not np.array_equal(first.weights, other.weights)
    assert first.anatomy.sizes == {"neuron": 100, "pre": 100, "post": 100}
    np.testing.assert_array_equal(first.anatomy["contacts"].values > 0, first.weights != 0)
    assert set(first.anatomy["cell_type"].values[:80]) == {"E"}
    assert 0.95 < float(first.anatomy["x"].max()) / (100 / 9e13) ** (1 / 3) <= 1  # 9e4 neurons per mm3


def test_an_activity_names_its_engine_and_the_truths_their_questions():
    assert spontaneous("balanced_ei").attrs["engine"].startswith("kernel (numba")
    network = subject("balanced_ei")
    assert network.circuit.mechanism == "recurrent network"
    with pytest.raises(LookupError, match="can answer connectivity, cell_type, effect, got"):
        network.truth("topology", None, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_neurons": 1}, r"n_neurons must be a whole number in 2\.\.10000, got 1"),
        ({"connection_probability": 1.5}, r"connection_probability must be a number in 0..1, got 1.5"),
        ({"epsp": -1e-3}, "epsp must be a number in 0..0.02 V"),
        ({"external_sd": 0.0}, "external_sd must be a number in 0..0.05 V, 0 left out"),
        ({"threshold": -80e-3}, "must lie below threshold"),
        ({"delay": (3e-3, 1e-3)}, "(shortest, longest)"),
        ({"synaptic_time_constant": 2e-4}, "synaptic_time_constant must be 0 or at least four steps"),
        ({"dt": 5e-3}, "a twentieth of the membrane time constant"),
    ],
)
def test_impossible_parameters_are_refused_with_rule_and_value(change, message):
    with pytest.raises(SimlabError, match=message):
        replace(BalancedEI(), **change)
