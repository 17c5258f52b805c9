"""The ring attractor: its truths by Jacobian, by noise-free dynamics and by pushing the spiking network."""

from dataclasses import replace

import numpy as np
import pytest
from ring_bench import around, counts, direction, one_cue, push, spread

from circuits.attractors.ring_attractor import RingAttractor
from circuits.attractors.ring_network import wrap
from simlab.contracts import Circuit, SimlabError, Subject
from simlab.session import Effect, Session, Stimulus
from simlab.simulators.rates import fixed_point, settle
from simlab.streams import stream

CIRCUIT = RingAttractor()
SPACING = 2 * np.pi / CIRCUIT.n_excitatory


@pytest.fixture(scope="module")
def subject():
    return CIRCUIT.subject(stream(1, "subject"))


@pytest.fixture(scope="module")
def ring():
    """The same network with neurons in order around the ring."""
    return CIRCUIT.network()


@pytest.fixture(scope="module")
def bump(ring):
    return fixed_point(ring.rates(), ring.states(np.zeros(1), duration=3.0)[0])


@pytest.fixture(scope="module")
def natural(subject):
    session = subject.session(trials=80, duration=2.0, rng=stream(1, "session"))
    return session, subject.run(session, stream(1, "run"))


def test_it_keeps_the_contract(subject):
    assert isinstance(CIRCUIT, Circuit)
    assert isinstance(subject, Subject)
    assert CIRCUIT.mechanism == "ring attractor"
    with pytest.raises(LookupError, match="connectivity, topology, dynamics, got"):
        subject.truth("latents", None, np.random.default_rng(0))


def test_wiring_obeys_dales_law_and_has_both_contacts_and_none(subject):
    weight = subject.truth("connectivity", None, np.random.default_rng(0))["weight"].values
    kind = subject.anatomy["cell_type"].values
    assert not np.diag(weight).any()
    assert (weight[kind == "E"] >= 0).all()
    assert (weight[kind == "I"] <= 0).all()
    local = weight[np.ix_(kind == "E", kind == "E")]
    # Neighbours are 4.5 degrees apart and excitation falls to zero at 90: 19 on either side, of the 79 others.
    assert ((local > 0).sum(axis=1) == 38).all()


def test_neither_number_nor_place_tells_a_neurons_direction(subject):
    angle = subject.preferred_angle
    tuned = np.isfinite(angle)
    place = np.stack([np.arange(len(angle)), *(subject.anatomy[axis].values for axis in "xyz")])[:, tuned]
    for position in place:
        for part in (np.cos(angle[tuned]), np.sin(angle[tuned])):
            assert abs(np.corrcoef(position, part)[0, 1]) < 4 / np.sqrt(80)


def test_the_jacobian_has_the_true_wiring(subject):
    # At zero rates the background alone drives every neuron above threshold, so that none has zero gain.
    network = subject.network.rates()
    slope = network.jacobian(np.zeros(network.size)).T * np.asarray(network.time_constant)[None, :]
    weight = subject.truth("connectivity", None, np.random.default_rng(0))["weight"].values
    gain = np.linalg.lstsq(weight.ravel()[:, None], slope.ravel() + np.eye(len(weight)).ravel(), rcond=None)[0]
    assert gain > 0
    off = ~np.eye(len(weight), dtype=bool)
    assert np.array_equal(np.sign(slope[off].round(9)), np.sign(weight[off]))


def test_a_bump_has_exactly_one_direction_in_which_pushes_do_not_decay(bump, ring):
    slowest, second = bump.eigenvalues[:2].real
    # Neutral for more than 1000 s, where everything else is gone in a third of a second.
    assert abs(slowest) < 1e-3
    assert second < -3.0
    values, vectors = np.linalg.eig(ring.rates().jacobian(bump.state))
    free = np.real(vectors[:, np.argmax(values.real)])[:80]
    # The derivative by angle of the symmetric bump, by central difference over neighbours (second order in 4.5/30).
    turned = np.roll(bump.state[:80], 1) - np.roll(bump.state[:80], -1)
    assert abs(free @ turned) / np.linalg.norm(free) / np.linalg.norm(turned) > 0.999


def test_the_state_without_a_bump_is_unstable(ring):
    even = settle(ring.rates(), np.zeros(ring.size), duration=0.2, dt=2e-3)  # symmetric start, symmetric end
    point = fixed_point(ring.rates(), even)
    assert np.ptp(point.state[:80]) < 1e-6
    assert not point.stable


def test_without_noise_a_bump_stays_where_the_cue_left_it(ring):
    angles = np.array([0.0, 0.3, 0.5, 1.0, 2.2]) * SPACING
    early = np.angle(ring.states(angles)[:, :80] @ np.exp(1j * ring.angle[:80]))
    late = np.angle(ring.states(angles, duration=20.0)[:, :80] @ np.exp(1j * ring.angle[:80]))
    # The cue acts on neurons one spacing apart, so it sets the angle to a small part of a spacing.
    assert np.allclose(early, angles, atol=0.02 * SPACING)
    assert np.allclose(late, early, atol=1e-4)


def test_without_noise_a_pushed_bump_stays_where_it_was_pushed():
    still = RingAttractor(model="rate").subject(stream(2, "subject"))
    rates, cue = still.network.rates(), still.network.cue(np.zeros(1))[0]
    bump = settle(rates, settle(rates, np.zeros(100), duration=0.5, dt=2e-3, current=cue), duration=1.0, dt=2e-3)
    current = push(still, 1.0, strength=1.0).values * CIRCUIT.rheobase
    pushed = settle(rates, bump, duration=0.3, dt=2e-3, current=current)
    soon, late = (direction(still, settle(rates, pushed, duration=d, dt=2e-3)) for d in (1.0, 10.0))
    assert direction(still, bump) == pytest.approx(0.0, abs=0.01)
    assert soon > 0.5
    assert late == pytest.approx(soon, abs=1e-3)


def test_topology_is_a_ring_and_a_point_where_excitation_is_too_weak(subject):
    assert [int(subject.truth("topology", None, np.random.default_rng(0))[b]) for b in ("b0", "b1", "b2")] == [1, 1, 0]
    weak = (
        RingAttractor(weight_ee=0.05e-3).subject(stream(1, "subject")).truth("topology", None, np.random.default_rng(0))
    )
    assert [int(weak[b]) for b in ("b0", "b1", "b2")] == [1, 0, 0]


def test_a_session_shows_a_random_angle_and_then_darkness(subject):
    stimulus = subject.session(trials=500, duration=1.1, rng=stream(3)).stimulus
    assert stimulus.features == ("angle",)
    assert stimulus.values.shape == (500, 5, 1)
    assert np.isnan(stimulus.values[:, 1:]).all()
    # Rayleigh: of 500 angles that prefer none, the resultant exceeds 0.17 once in two million.
    assert abs(np.exp(1j * stimulus.values[:, 0, 0]).mean()) < 0.17


def test_the_cue_sets_the_bump_and_darkness_keeps_it(subject, natural):
    session, activity = natural
    cue = session.stimulus.values[:, 0, 0]
    angle = direction(subject, counts(activity, 0.1))
    shown, kept = (np.abs(wrap(angle[:, k] - cue)) for k in (1, -1))
    assert np.rad2deg(shown).max() < 15
    # Diffusion over 1.75 s: analytic sd 9 degrees, and 4 sd of the largest of 80 is 36.
    assert np.rad2deg(kept).max() < 40
    assert np.rad2deg(kept).mean() > np.rad2deg(shown).mean()


def test_the_bump_is_like_that_of_a_head_direction_cell(subject, natural):
    activity = natural[1]
    binned = counts(activity)[:, 5:]
    aligned = _profile(subject, binned) / 0.05
    half = (aligned.max() + aligned.min()) / 2
    width = (aligned > half).sum() * 10
    # Taube 2007: peaks of 5 to 120 Hz over a background of 0 to 5 Hz; firing over 60 to 150 degrees in all, which for a
    # triangle is twice its width at half height. The bump's half width lies in that range, at its wide end.
    assert 5 < aligned.max() < 120
    assert aligned.min() < 5
    assert 30 <= width <= 110


def _profile(subject, binned):
    """Mean counts in 10-degree bins of preferred angle less decoded angle."""
    tuned = np.isfinite(subject.preferred_angle)
    relative = wrap(subject.preferred_angle[tuned] - direction(subject, binned)[..., None])
    place = ((relative + np.pi) / (2 * np.pi) * 36).astype(int) % 36
    return np.bincount(place.ravel(), binned[..., tuned].ravel(), 36) / np.bincount(place.ravel(), minlength=36)


def test_spiking_rates_are_those_of_the_rate_version(subject, natural, bump):
    binned = counts(natural[1])[:, 10:]  # from 0.25 s after the cue, when the bump has forgotten it
    kind = subject.anatomy["cell_type"].values
    rate = {k: binned[..., kind == k].mean() / 0.05 for k in "EI"}
    # The mean-field rates leave out that recurrent input fluctuates: with 40 inputs at 20 Hz through a synapse of
    # 100 ms, by about a tenth of the mean input, and rates change by its square times the curvature: a few percent.
    assert rate["E"] == pytest.approx(bump.state[:80].mean(), rel=0.08)
    assert rate["I"] == pytest.approx(bump.state[80:].mean(), rel=0.08)


def test_the_bump_diffuses_as_fast_as_the_linear_theory_says(subject, natural, ring):
    angle = direction(subject, counts(natural[1], 0.05))
    # The difference of two lags leaves out the error of decoding.
    each = (spread(angle, 24, 7) - spread(angle, 6, 7)) / (18 * 0.05)
    error = each.std() / np.sqrt(len(each))
    # First-order theory neglects the bump's change of shape: allow 20% besides four standard errors (about 15% each).
    assert each.mean() == pytest.approx(ring.diffusion(), abs=4 * error + 0.2 * ring.diffusion())


def test_a_pulse_moves_the_spiking_bump_for_good(subject):
    session = one_cue(24, 1.6).perturbed(replace(push(subject, np.pi / 2), trials=tuple(range(12))))
    angle = np.rad2deg(direction(subject, counts(subject.run(session, stream(4, "run")), 0.1)))
    pushed, free = angle[:12], angle[12:]
    # Seven neurons at 2 rheobases for 0.3 s. Diffusion in 0.7 s: sd 6 degrees.
    assert np.abs(pushed[:, :6]).max() < 30
    assert (np.abs(pushed[:, 9] - 90) < 30).all()
    assert (np.abs(pushed[:, -1] - 90) < 45).all()
    assert np.abs(free).max() < 45


def test_silencing_the_bump_makes_it_form_elsewhere(subject):
    near = np.abs(wrap(np.nan_to_num(subject.preferred_angle, nan=9.0))) < np.pi / 2
    silence = Effect("drive", -10.0 * (near & np.isfinite(subject.preferred_angle)) * 1.0, 0.5, 1.2)
    binned = counts(subject.run(one_cue(8, 1.2).perturbed(silence), stream(5, "run")), 0.1)
    profile = around(subject, binned[:, 7:].mean(axis=1))
    inside = np.abs(wrap(-np.pi + np.arange(80) * SPACING)) < np.pi / 2 - SPACING
    assert profile[:, inside].sum() == 0
    assert (profile[:, ~inside].max(axis=1) > 1).all()


def test_the_same_seed_gives_the_same_spikes_and_another_does_not(subject):
    session = one_cue(2, 0.5)
    first, again, other = (subject.run(session, stream(seed, "run")) for seed in (1, 1, 2))
    assert first.identical(again)
    assert not np.array_equal(first["spike_time"], other["spike_time"])
    assert first.attrs["engine"].startswith("kernel")


def test_the_rate_version_runs_the_same_task_and_gives_rates(bump):
    subject = RingAttractor(model="rate").subject(stream(1, "subject"))
    activity = subject.run(one_cue(10, 1.0).perturbed(push(subject, 2.0, start=0.5)), stream(1, "run"))
    rate = activity["rate"]
    assert rate.dims == ("trial", "time", "neuron")
    assert rate.sizes["time"] == 100
    assert "spike_time" not in activity
    angle = direction(subject, rate.values)
    assert np.abs(angle[:, 45]).max() < 0.6
    assert np.abs(wrap(angle[:, -1] - 2.0)).max() < 0.6
    assert around(subject, rate.values[:, 48]).max(axis=1).mean() == pytest.approx(bump.state.max(), rel=0.4)


def test_impossible_rings_and_stimuli_are_refused(subject):
    for bad in ({"n_excitatory": 4}, {"n_inhibitory": 1}, {"model": "fluid"}, {"reset": -0.04}, {"reach": 0.01}):
        with pytest.raises(SimlabError):
            RingAttractor(**bad)
    colour = Session(1, 0.1, Stimulus(("colour",), np.zeros((1, 1, 1)), 0.1))
    with pytest.raises(SimlabError, match="'angle'"):
        subject.run(colour, stream(1))


@pytest.mark.slow
def test_a_finer_step_changes_rates_by_no_more_than_their_scatter():
    rates = []
    for dt in (5e-4, 1e-4):
        subject = RingAttractor(dt=dt).subject(stream(1, "subject"))
        binned = counts(subject.run(one_cue(40, 1.25), stream(6, "run")), 0.25)[:, 2:].mean(axis=1)
        rates.append(around(subject, binned).mean(axis=1) / 0.25)
    coarse, fine = rates
    error = np.hypot(coarse.std(), fine.std()) / np.sqrt(40)
    # The threshold checked only every dt acts as one higher by 0.58 sd of a step: 0.39 mV at 0.5 ms, 0.17 mV at 0.1 ms,
    # of a drive that inhibition holds near 20 mV: rates change by a few percent, which the rate version accounts for.
    assert abs(coarse.mean() - fine.mean()) < 4 * error + 0.05 * fine.mean()


def test_effects_on_recorded_neurons_leave_hidden_ones_and_their_synapses_alone():
    from circuits.attractors.ring_network import _padded

    recorded = np.array([3, 1])
    effects = (
        Effect("drive", [[1.0, 2.0], [3.0, 4.0]], 0.1, 0.3, (0,)),
        Effect("hold", [0.0, np.nan], 0.1, 2.0),
        Effect("gain", [0.5, 1.0], 0.1, 0.3),
        Effect("gain", [[1.0, 0.0], [2.0, 1.0]], 0.1, 0.3, over="pair"),
    )
    told = _padded(Session(1, 1.0, perturbations=effects), recorded, 5).perturbations
    assert told[0].steps.tolist() == [[0, 2, 0, 1, 0], [0, 4, 0, 3, 0]]
    np.testing.assert_array_equal(told[1].steps, [[np.nan, np.nan, np.nan, 0, np.nan]])
    assert told[2].steps.tolist() == [[1, 1, 1, 0.5, 1]]
    pairs = np.ones((5, 5))
    pairs[3, 1], pairs[1, 3] = 0.0, 2.0
    assert told[3].steps[0].tolist() == pairs.tolist()
    assert [(e.kind, e.start, e.stop, e.trials, e.over) for e in told] == [
        (e.kind, e.start, e.stop, e.trials, e.over) for e in effects
    ]
