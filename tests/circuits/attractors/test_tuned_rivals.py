"""Two rivals that only hear of an angle, the dial that makes a bump sustain itself, and how irregularly it fires."""

from dataclasses import replace

import numpy as np
import pytest
from ring_bench import around, counts, direction, one_cue

from circuits.attractors.cue_ring import CueRing
from circuits.attractors.feedforward_ring import FeedforwardRing
from circuits.attractors.independent_tuned import IndependentTuned
from circuits.attractors.ring_attractor import RingAttractor
from circuits.attractors.tuned_subject import at_angles
from simlab.contracts import SimlabError
from simlab.session import Effect, Session, Stimulus
from simlab.simulators.rates import fixed_point
from simlab.streams import stream

RING = RingAttractor()
TUNED, CUED = IndependentTuned(), CueRing()


def regime(circuit):
    return circuit.subject(stream(1, "subject")).truth("dynamics", None, np.random.default_rng(0))["label"].item()


def interval_cv(subject, activity, kind):
    """Mean over neurons of a kind that fire 20 times or more in a trial's dark, of the CV of their intervals there."""
    found = []
    trial, time, neuron = (activity[f"spike_{name}"].values for name in ("trial", "time", "neuron"))
    dark = time > 0.3
    for n in np.flatnonzero(subject.anatomy["cell_type"].values == kind):
        for k in range(activity.sizes["trial"]):
            gaps = np.diff(time[dark & (neuron == n) & (trial == k)])
            if len(gaps) >= 20:
                found.append(gaps.std() / gaps.mean())
    return np.mean(found)


@pytest.fixture(scope="module")
def seen():
    """(subject, activity, counts in 50 ms) of each; the same cue in all 24 trials of 1.5 s."""
    found = {}
    for circuit in (RING, TUNED, CUED):
        subject = circuit.subject(stream(1, "subject"))
        activity = subject.run(one_cue(24, 1.5), stream(2, "run"))
        found[circuit.name] = subject, activity, counts(activity)
    return found


@pytest.mark.parametrize("rival", ["independent_tuned", "cue_ring"])
def test_rivals_have_the_ring_s_rates_tuning_and_irregularity(seen, rival):
    (ring, ring_spikes, ring_counts), (subject, spikes, binned) = seen["ring_attractor"], seen[rival]
    for kind in "EI":
        mean = [
            c[:, 10:, s.anatomy["cell_type"].values == kind].mean() for s, c in ((ring, ring_counts), (subject, binned))
        ]
        assert mean[1] == pytest.approx(mean[0], rel=0.08)  # mean-field rates, as in the test of the ring's
        if rival == "independent_tuned" or kind == "I":  # in the dark the other's excitatory ones fire too little
            cv = [interval_cv(s, a, kind) for s, a in ((ring, ring_spikes), (subject, spikes))]
            assert cv[1] == pytest.approx(cv[0], abs=0.08)
    lit = [around(s, c[:, :5].mean(axis=(0, 1))) for s, c in ((ring, ring_counts), (subject, binned))]
    assert np.corrcoef(*lit)[0, 1] > 0.97
    if rival == "independent_tuned":
        dark = [around(s, c[:, 10:].mean(axis=(0, 1))) for s, c in ((ring, ring_counts), (subject, binned))]
        assert np.corrcoef(*dark)[0, 1] > 0.97


@pytest.fixture(scope="module")
def as_rates():
    """(subject, rates (trial, sample, neuron) [Hz] between .7 and 1.5 s) of rate versions; one cue in 16 trials."""
    found = {}
    for circuit in (replace(RING, model="rate"), *(r.imitating(replace(RING, model="rate")) for r in (TUNED, CUED))):
        subject = circuit.subject(stream(1, "subject"))
        assert circuit.modalities == ("rate",)
        found[circuit.name] = subject, subject.run(one_cue(16, 1.5), stream(2, "run"))["rate"].values[:, 70:]
    return found


@pytest.mark.parametrize("rival", ["independent_tuned", "cue_ring"])
def test_as_rates_they_have_the_ring_s_means_and_the_noise_of_their_own_spikes_and_share_none(as_rates, rival):
    (ring, ring_rates), (subject, rates) = as_rates["ring_attractor"], as_rates[rival]
    for kind in "EI":
        mean = [r[..., s.anatomy["cell_type"].values == kind].mean() for s, r in ((ring, ring_rates), (subject, rates))]
        assert mean[1] == pytest.approx(mean[0], rel=0.05)
    if rival == "independent_tuned":  # in the dark the other has no tuning left
        dark = [around(s, r.mean(axis=(0, 1))) for s, r in ((ring, ring_rates), (subject, rates))]
        assert np.corrcoef(*dark)[0, 1] > 0.97
    network = subject.unwired()
    busy = rates.mean(axis=(0, 1)) > 2
    # an Ornstein-Uhlenbeck process of variance F r / (2 tau), averaged over samples of T: 1 - T / (3 tau) of it
    tau = network.time_constant
    expected = network.shot_noise * rates.mean(axis=(0, 1)) / (2 * tau) * (1 - 0.01 / (3 * tau))
    # 16 trials of .8 s hold 128 time constants of 100 ms: 12% each, two percent on average over the neurons
    assert (rates.var(axis=(0, 1))[busy] / expected[busy]).mean() == pytest.approx(1, abs=0.1)
    ends = rates[:, -1][:, busy]
    correlations = np.corrcoef(ends.T)[np.triu_indices(busy.sum(), 1)]
    assert abs(correlations.mean()) < 4 * np.sqrt(2 / busy.sum()) / np.sqrt(len(ends))


def test_one_keeps_the_angle_without_error_and_the_other_forgets_it(seen):
    tuned, cued = (
        np.abs(direction(s, c[:, -4:].sum(axis=1))) for s, _, c in (seen["independent_tuned"], seen["cue_ring"])
    )
    # 0.2 s of 80 tuned neurons: the population vector errs by some 6 degrees
    assert np.rad2deg(np.sqrt((tuned**2).mean())) < 12
    # uniform angles: |angle| has the mean 90 degrees and a standard error of 11
    assert np.rad2deg(cued.mean()) == pytest.approx(90, abs=40)


def test_neurons_are_independent_given_the_angle(seen):
    binned = seen["independent_tuned"][2]
    total = binned[:, 10:].sum(axis=1)
    busy = total[:, total.mean(axis=0) > 3]
    correlations = np.corrcoef(busy.T)[np.triu_indices(busy.shape[1], 1)]
    # of pairs of independent counts in 24 trials: mean 0; pairs share neurons, so allow 4 x sqrt(2 / n) / sqrt(24)
    assert abs(correlations.mean()) < 4 * np.sqrt(2 / busy.shape[1]) / np.sqrt(24)


def test_an_angle_that_diffuses_does_so_as_it_is_told():
    circuit = replace(TUNED, diffusion=0.5)
    told = circuit.kept(np.where(np.arange(200) < 20, 1.0, np.nan) * np.ones((400, 1)), np.random.default_rng(0))
    assert (told[:, :20] == 1.0).all()
    # variance .5 x 1.8 s = .9; standard error of a variance of 400: 7%
    assert told[:, -1].var() == pytest.approx(0.9, rel=0.28)


def test_truths_of_what_only_hears_an_angle():
    for circuit, betti in ((TUNED, [1, 1, 0]), (CUED, [1, 0, 0])):
        subject = circuit.subject(stream(1, "subject"))
        assert regime(circuit) == "driven"
        assert not subject.truth("connectivity", None, np.random.default_rng(0))["weight"].values.any()
        shape = subject.truth("topology", None, np.random.default_rng(0))
        assert [int(shape[b]) for b in ("b0", "b1", "b2")] == betti
    turned = at_angles(RING, np.array([0.0, 2 * np.pi / 80]))[:, :80]
    assert np.allclose(np.roll(turned[0], 1), turned[1])


def test_a_push_changes_nobody_else(seen):
    subject = seen["independent_tuned"][0]
    hit = np.arange(100) < 10
    pulse = Effect("drive", np.where(hit, 2.0, 0.0), 0.6, 0.9)
    angle = one_cue(2, 1.0)
    free, pushed = (counts(subject.run(s, stream(3, "run"))) for s in (angle, angle.perturbed(pulse)))
    assert pushed[:, 12:18][..., hit].sum() > 1.5 * free[:, 12:18][..., hit].sum()
    # all neurons draw from one stream, so that spikes differ, and rates do not: 2 trials of .3 s at 14 Hz and 90 units
    n = free[:, 12:18][..., ~hit].sum()
    assert abs(pushed[:, 12:18][..., ~hit].sum() - n) < 4 * np.sqrt(2 * n)


def test_a_stimulus_of_another_kind_is_refused():
    colour = Session(1, 0.1, Stimulus(("colour",), np.zeros((1, 1, 1)), 0.1))
    with pytest.raises(SimlabError, match="'angle'"):
        TUNED.subject(stream(1)).run(colour, stream(1))


@pytest.mark.parametrize(("share", "expected"), [(0.0, "fixed point"), (0.7, "fixed point"), (0.8, "ring attractor")])
def test_the_dial_of_tuned_recurrence_makes_a_bump_sustain_itself(share, expected):
    circuit = replace(RING, tuned_share=share)
    assert regime(circuit) == expected
    network = circuit.network()
    late = network.states(np.array([1.0]), duration=10.0)[0][:80]
    # by simulation: what a cue leaves behind is tuned, or is not
    assert (np.ptp(late) > 0.2 * late.max()) == (expected == "ring attractor")


def test_the_even_state_is_that_of_every_share_and_loses_its_stability_where_the_jacobian_is_linear_in_the_share():
    rates, states = [], []
    for share in (0.2, 0.6, 1.0):
        network = replace(RING, tuned_share=share).network()
        even = replace(RING, tuned_share=0.0).network().states(np.zeros(1), duration=10.0)[0]
        point = fixed_point(network.rates(), even)
        states.append(point.state)
        rates.append(point.eigenvalues[0].real)
    assert np.allclose(states[0], states[2], atol=1e-6)
    # the first harmonic of the excitatory weights is proportional to the share, and so is the mode's rate, but for 1/n
    assert rates[1] == pytest.approx((rates[0] + rates[2]) / 2, abs=0.02)
    crossing = 0.2 + 0.8 * rates[0] / (rates[0] - rates[2])
    assert 0.7 < crossing < 0.8


def test_a_rival_without_synapses_is_driven():
    assert regime(FeedforwardRing()) == "driven"


def test_more_noise_gives_the_irregularity_of_head_direction_cells():
    subject = replace(RING, noise=0.004).subject(stream(1, "subject"))
    activity = subject.run(one_cue(8, 1.5), stream(2, "run"))
    # Taube 2010: about .68; and the bump still keeps its place
    assert interval_cv(subject, activity, "E") == pytest.approx(0.68, abs=0.06)
    assert np.rad2deg(np.abs(direction(subject, counts(activity, 0.2)[:, -1]))).mean() < 35
