import numpy as np
import pytest
from planted_connectivity import poisson_spikes

from methods.wiring._pairs import on_grid
from methods.wiring.spiking_probability_edges import SpikingProbabilityEdges, total_edges
from simlab.contracts import SimlabError


def test_the_estimate_is_elephants_transposed():
    import quantities as pq
    from elephant.conversion import BinnedSpikeTrain
    from elephant.functional_connectivity import total_spiking_probability_edges
    from neo import SpikeTrain

    ticks = on_grid(poisson_spikes(np.random.default_rng(0), n=4, rate=20.0, trials=1, duration=30.0), 0.001)
    trains = [SpikeTrain((ticks.tick[ticks.unit == u] + 0.5) * pq.ms, t_stop=30 * pq.s) for u in range(4)]
    published, _ = total_spiking_probability_edges(BinnedSpikeTrain(trains, bin_size=1 * pq.ms))
    method = SpikingProbabilityEdges()
    ours = total_edges(method._counts(ticks), ticks, method._operator())
    off = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(ours[off], published.T[off], rtol=1e-6)


def test_filters_are_blind_to_flat_correlograms():
    operator = SpikingProbabilityEdges()._operator()
    # each edge filter sums to zero; a filter with a centre of b is cut at the first and last b - 1 delays by no lag
    np.testing.assert_allclose(operator.sum(axis=0), 0.0, atol=1e-12)


def test_impossible_filters_are_refused():
    with pytest.raises(SimlabError, match=r"observed must be a tuple of whole numbers in 1\.\."):
        SpikingProbabilityEdges(observed=(0,))
    with pytest.raises(SimlabError, match="max_delay"):
        SpikingProbabilityEdges(max_delay=3)
