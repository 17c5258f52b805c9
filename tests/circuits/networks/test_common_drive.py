"""The rival with shared drive: matched to the balanced network, and without a single synapse."""

import numpy as np
import pytest
from spiking_bench import count_correlations, interval_cvs, reliable_spread, spontaneous, subject

from circuits.networks.balanced_ei import BalancedEI
from circuits.networks.common_drive import CommonDrive
from simlab.contracts import SimlabError
from simlab.data import mean_rates
from simlab.session import Effect, Session


def test_each_neuron_fires_at_its_twins_rate():
    twin, rival = mean_rates(spontaneous("balanced_ei")), mean_rates(spontaneous("common_drive"))
    # 120 s at 8 Hz: one rate is known to 3%, the mean over neurons to 0.3%; the theory is good to a few per cent.
    assert abs(rival.mean() / twin.mean() - 1) < 0.06
    assert np.corrcoef(twin, rival)[0, 1] > 0.9


def test_firing_is_as_irregular_as_the_twins():
    twin, rival = (interval_cvs(spontaneous(name)).mean() for name in ("balanced_ei", "common_drive"))
    assert abs(twin - rival) < 0.08


def test_the_mean_pairwise_correlation_is_the_twins():
    twin, rival = (count_correlations(spontaneous(name)).mean() for name in ("balanced_ei", "common_drive"))
    # 1200 bins, 4950 pairs: 0.0004 of sampling error each, and twice that for what neurons share. The theory (long
    # windows, first order) was 0.001 low in 0.1 s bins over seven seeds.
    assert rival > 0.001
    assert abs(twin - rival) < 0.001 + 3 * 0.0008


def test_correlations_vary_over_pairs_as_much_as_the_twins():
    twin, rival = (reliable_spread(spontaneous(name)) for name in ("balanced_ei", "common_drive"))
    # Seven seeds of 200 to 400 s: 0.0225 to 0.0247 and 0.0244 to 0.0266.
    assert 0.7 < rival / twin < 1.4


def test_without_strength_nothing_correlates():
    alone = CommonDrive(strength=0.0).subject(np.random.default_rng(1))
    assert not alone.loading.any()
    full = CommonDrive().subject(np.random.default_rng(1))
    assert np.array_equal(full.matched.rate, alone.matched.rate)


def test_a_spike_moves_nobody_else():
    """The same noise with and without ten extra spikes in each of half of the neurons: the others do not notice."""
    rival = CommonDrive(like=BalancedEI(n_neurons=20)).subject(np.random.default_rng(2))
    driven = np.arange(20) < 10
    pulse = Effect("drive", np.where(driven, 10.0, 0.0), 0.1, 0.2)
    plain = rival.run(Session(3, 0.4), np.random.default_rng(7))
    kicked = rival.run(Session(3, 0.4, perturbations=(pulse,)), np.random.default_rng(7))
    trains = []
    for activity in (plain, kicked):
        other = ~driven[activity["spike_neuron"].values]
        trains.append((activity["spike_neuron"].values[other], activity["spike_time"].values[other]))
    assert np.array_equal(trains[0][0], trains[1][0])
    assert np.array_equal(trains[0][1], trains[1][1])
    assert kicked.sizes["spike"] > plain.sizes["spike"] + 20
    assert not rival.truth("connectivity", None, np.random.default_rng(0))["weight"].values.any()


def test_the_loadings_carry_the_correlations_that_the_twins_theory_asks_for():
    from simlab.simulators.lif_theory import count_correlations as predicted

    rival, twin = subject("common_drive"), subject("balanced_ei")
    neuron, point = BalancedEI().neuron, rival.matched
    gain, output = neuron.gain(point.mean, point.sd), point.rate * neuron.interval_cv(point.mean, point.sd) ** 2
    shared = (rival.loading.T @ rival.loading) * 2 * rival.circuit.drive_time_constant
    mine = shared * np.outer(gain, gain) / np.sqrt(np.outer(output, output))
    upper = np.triu_indices(100, 1)
    asked = predicted(neuron, twin.weights, twin.working_point)[upper]
    assert mine[upper].mean() == pytest.approx(asked.mean(), rel=0.01)
    assert mine[upper].std() == pytest.approx(asked.std(), rel=0.15)  # five random factors: +- 1/sqrt(2 * 5 * 10)


def test_the_truth_is_no_synapses_and_its_mechanism_no_wiring():
    rival = subject("common_drive")
    assert rival.circuit.mechanism == "common drive"
    assert rival.truth("connectivity", None, np.random.default_rng(0))["weight"].shape == (100, 100)
    with pytest.raises(LookupError, match="can answer connectivity, effect, got"):
        rival.truth("topology", None, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_drives": 0}, "n_drives must be a whole number in 1..10000, got 0"),
        ({"drive_time_constant": 0.0}, "drive_time_constant must be a number in 0.0005..1 s"),
        ({"strength": -1.0}, "strength must be a number in 0..1000"),
    ],
)
def test_impossible_parameters_are_refused_with_rule_and_value(change, message):
    with pytest.raises(SimlabError, match=message):
        CommonDrive(**change)


def test_a_drive_stronger_than_the_noise_that_it_replaces_is_refused():
    with pytest.raises(SimlabError, match="lower `strength`"):
        CommonDrive(strength=1000.0).subject(np.random.default_rng(1))
