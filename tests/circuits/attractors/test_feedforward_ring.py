"""The rival: nothing connects its recorded neurons, and without a push it cannot be told from the ring attractor."""

import numpy as np
import pytest
from ring_bench import around, counts, direction, one_cue, push, spread

from circuits.attractors.feedforward_ring import FeedforwardRing
from circuits.attractors.ring_attractor import RingAttractor
from circuits.attractors.ring_network import wrap
from simlab.contracts import Circuit, SimlabError, Subject
from simlab.streams import stream

BLOCKS, PER_BLOCK = 10, 12
RING, RIVAL = RingAttractor(), FeedforwardRing()


@pytest.fixture(scope="module")
def subject():
    return RIVAL.subject(stream(1, "subject"))


def observe(circuit, seed):
    """A subject and its counts (block, trial, bin, neuron) in 50 ms of darkness, all trials from one cue."""
    subject = circuit.subject(stream(seed, "subject"))
    binned = counts(subject.run(one_cue(BLOCKS * PER_BLOCK, 1.5), stream(seed, "run")))[:, 5:]
    return subject, binned.reshape(BLOCKS, PER_BLOCK, *binned.shape[1:])


@pytest.fixture(scope="module")
def both():
    return observe(RING, 11), observe(RIVAL, 12)


def test_it_keeps_the_contract(subject):
    assert isinstance(RIVAL, Circuit)
    assert isinstance(subject, Subject)
    assert subject.circuit.mechanism == "feedforward"
    assert subject.circuit.twin_of == ("ring_attractor",)
    assert subject.anatomy.sizes["neuron"] == RIVAL.n_neurons == RING.n_neurons
    with pytest.raises(SimlabError, match="common_background"):
        FeedforwardRing(common_background=1.5)


def test_no_recorded_neuron_contacts_another(subject):
    assert not subject.truth("connectivity", None, np.random.default_rng(0))["weight"].values.any()


def test_a_pulse_changes_no_spike_of_any_neuron_that_it_does_not_hit(subject):
    pulse = push(subject, np.pi / 2)
    natural, pushed = (subject.run(s, stream(3, "run")) for s in (one_cue(4, 1.2), one_cue(4, 1.2).perturbed(pulse)))
    before, after = counts(natural, 0.01), counts(pushed, 0.01)
    hit = pulse.values > 0
    assert np.array_equal(before[..., ~hit], after[..., ~hit])
    assert after[..., hit].sum() > 2 * before[..., hit].sum()


def test_the_same_pulse_changes_other_neurons_of_a_ring_attractor():
    ring = RING.subject(stream(1, "subject"))
    pulse = push(ring, np.pi / 2)
    before, after = (
        counts(ring.run(s, stream(3, "run")), 0.01) for s in (one_cue(4, 1.2), one_cue(4, 1.2).perturbed(pulse))
    )
    missed = pulse.values == 0
    early = slice(0, 60)  # the pulse starts at 0.6 s
    assert np.array_equal(before[:, early], after[:, early])
    changed = (before[:, 60:, missed] != after[:, 60:, missed]).any(axis=(0, 1))
    # A neuron that hardly fires, with the bump here or there, may have its one spike at the pulse's very onset.
    firing = (before + after)[:, 60:, missed].sum(axis=(0, 1)) >= 10
    assert changed[firing].all()
    assert firing.mean() > 0.5


def test_topology_is_the_upstream_ring(subject):
    assert [int(subject.truth("topology", None, np.random.default_rng(0))[b]) for b in ("b0", "b1", "b2")] == [1, 1, 0]
    weak = (
        FeedforwardRing(RingAttractor(weight_ee=0.05e-3))
        .subject(stream(1, "subject"))
        .truth("topology", None, np.random.default_rng(0))
    )
    assert [int(weak[b]) for b in ("b0", "b1", "b2")] == [1, 0, 0]


def test_each_unperturbed_neuron_fires_as_its_twin_in_the_upstream_ring(subject):
    network = subject.network
    everything = network.simulate(one_cue(3, 1.0), stream(2, "run"), np.arange(network.size))
    binned = counts(everything, 0.001)
    assert np.array_equal(binned[..., : RIVAL.n_neurons], binned[..., RIVAL.n_neurons :])


def test_less_common_background_makes_twins_fire_apart():
    subject = FeedforwardRing(common_background=0.5).subject(stream(1, "subject"))
    everything = subject.network.simulate(one_cue(3, 1.0), stream(2, "run"), np.arange(subject.network.size))
    upstream, recorded = np.split(counts(everything, 0.005), 2, axis=2)
    together = np.minimum(upstream, recorded).sum() / recorded.sum()
    # In bins of 5 ms neurons at 20 to 50 Hz would meet by chance in 10 to 25%.
    assert 0.2 < together < 0.9


def _noise_correlation(subject, block, low, high):
    """Mean correlation of counts in 250 ms over excitatory pairs whose angles differ by low..high degrees."""
    residual = _residual(around(subject, block))
    active = residual.std(axis=0) > 0.15
    angle = (np.arange(80) * 4.5)[active]
    apart = np.abs(angle[:, None] - angle)
    apart = np.minimum(apart, 360 - apart)
    pairs = (apart > low) & (apart <= high)
    return np.corrcoef(residual[:, active].T)[pairs].mean()


def _residual(block):
    """Counts (sample, neuron) in 250 ms less their mean over trials."""
    quarters = block.reshape(len(block), -1, 5, block.shape[-1]).sum(axis=2)
    return (quarters - quarters.mean(axis=0)).reshape(-1, block.shape[-1])


def _inhibitory_correlation(subject, block):
    residual = _residual(block[..., subject.anatomy["cell_type"].values == "I"])
    return np.corrcoef(residual.T)[np.triu_indices(residual.shape[1], 1)].mean()


def _width(subject, block):
    """Second moment [rad] of the mean profile."""
    profile = around(subject, block).mean(axis=(0, 1))
    return np.sqrt(np.average(wrap(np.linspace(-np.pi, np.pi, 80, endpoint=False)) ** 2, weights=profile))


def _diffusion(subject, block):
    angle = direction(subject, block)
    return (spread(angle, 16, 2) - spread(angle, 6, 2)).mean() / 0.5


def _fano(subject, block):
    counts_ = around(subject, block).reshape(len(block), -1, 5, 80).sum(axis=2)[..., 30:50]
    return (counts_.var(axis=0, ddof=1).sum() / counts_.mean(axis=0).sum()).item()


STATISTICS = {
    "mean rate of excitatory neurons": lambda s, b: around(s, b).mean(),
    "mean rate of inhibitory neurons": lambda s, b: b[..., s.anatomy["cell_type"].values == "I"].mean(),
    "peak rate": lambda s, b: around(s, b)[..., 38:43].mean(),
    "rate off the bump": lambda s, b: around(s, b)[..., :10].mean(),
    "tuning width": _width,
    "Fano factor": _fano,
    "noise correlation of like-tuned pairs": lambda s, b: _noise_correlation(s, b, 0, 20),
    "noise correlation of pairs 20 to 60 degrees apart": lambda s, b: _noise_correlation(s, b, 20, 60),
    "noise correlation of pairs 60 to 120 degrees apart": lambda s, b: _noise_correlation(s, b, 60, 120),
    "noise correlation of inhibitory pairs": _inhibitory_correlation,
    "diffusion of the decoded angle": _diffusion,
    "lag-one autocorrelation of the population rate": lambda s, b: np.corrcoef(
        b[:, :-1].sum(-1).ravel(), b[:, 1:].sum(-1).ravel()
    )[0, 1],
}


def deviates(statistic, first, second):
    """Difference of a statistic between two observations, in standard errors over blocks of trials."""
    values = [np.array([statistic(subject, block) for block in blocks]) for subject, blocks in (first, second)]
    error = np.sqrt(sum(v.var(ddof=1) / len(v) for v in values))
    return (values[0].mean() - values[1].mean()) / error if error else 0.0


@pytest.mark.parametrize("name", STATISTICS)
def test_rival_and_circuit_match_in(name, both):
    # Ten blocks each: Student's t with 18 degrees of freedom passes 4.5 by chance once in 3600 comparisons.
    assert abs(deviates(STATISTICS[name], *both)) < 4.5


def test_every_neurons_tuning_matches_that_of_its_place_on_the_ring(both):
    profiles = [around(subject, blocks).mean(axis=2).reshape(-1, 80) for subject, blocks in both]
    means = [p.mean(axis=0) for p in profiles]
    error = np.sqrt(sum(p.var(axis=0, ddof=1) / len(p) for p in profiles))
    firing = (means[0] + means[1]) * 2 * BLOCKS * PER_BLOCK * 25 > 100  # enough spikes for a normal approximation
    # 120 trials each; the largest of 80 normal deviations passes 4.8 once in 8000 such tests.
    assert np.abs((means[0] - means[1])[firing] / error[firing]).max() < 4.8


def test_a_push_moves_the_ring_for_good_and_the_rival_for_as_long_as_it_lasts():
    angle = {}
    for circuit in (RING, RIVAL):
        subject = circuit.subject(stream(5, "subject"))
        session = one_cue(16, 1.6).perturbed(push(subject, np.pi / 2))
        angle[circuit.name] = np.rad2deg(direction(subject, counts(subject.run(session, stream(5, "run")), 0.1)))
    during, soon, late = slice(7, 9), 10, slice(13, 16)  # the pulse lasts from 0.6 to 0.9 s
    assert all(angle[name][:, during].mean() > 30 for name in angle)
    # By 0.1 s after the pulse five membrane time constants have passed; decoding errs by 6 degrees, drift by as much.
    assert (np.abs(angle["feedforward_ring"][:, soon]) < 40).all()
    assert (np.abs(angle["feedforward_ring"][:, late]) < 45).all()
    assert (angle["ring_attractor"][:, late] > 45).all()


@pytest.mark.slow
def test_with_private_background_only_pair_correlations_give_the_rival_away():
    ring, loose = observe(RING, 11), observe(FeedforwardRing(common_background=0.0), 12)
    for name in ("mean rate of excitatory neurons", "peak rate", "tuning width", "diffusion of the decoded angle"):
        assert abs(deviates(STATISTICS[name], ring, loose)) < 4.5
    assert abs(deviates(STATISTICS["noise correlation of inhibitory pairs"], ring, loose)) > 10
