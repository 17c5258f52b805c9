"""Areas that are on or off: what sessions show is what tables state; effects, firing, stimuli and hidden areas."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from lesion_tables import largest_z, measured

from circuits.causal.layout import Layout, _settled, _simulated, achieved, in_order, with_weights
from circuits.causal.parts import REFRACTORY, TICK, Firing, PartsSubject
from simlab import activity_statistics
from simlab.coalitions import members
from simlab.contracts import SimlabError
from simlab.data import in_window
from simlab.session import Effect, Session, Stimulus
from simlab.streams import stream

ON, OFF = 40.0, 4.0


def chain(lapse=0.0, hidden: int = 0, **more) -> PartsSubject:
    """Two stimuli, an area for each; the second is passed on twice; two responses; a tonic area beside them."""
    layout = Layout.of(
        {"a": 0.5, "b": 0.5, "then": 0.5, "last": 0.5, "tonic": 0.5},
        {("b", "then"): 1.0, ("then", "last"): 1.0},
        [{"a": 1.0}, {"b": 1.0}, {"a": 1.0, "b": 1.0}],
        {"a": [True, False, True], "last": [False, True, True]},
        tonic={"tonic": 1.0},
        hidden=hidden,
    )
    return PartsSubject("chain", layout, Firing(ON, OFF, lapse), **more)


def random_layout(seed: int, n: int = 6) -> Layout:
    """Weights of either sign from earlier to later areas, two outputs, four patterns."""
    rng = np.random.default_rng(seed)
    weights = np.triu(rng.normal(size=(n, n)) * (rng.random((n, n)) < 0.6), 1)
    order = rng.permutation(n)
    patterns = rng.integers(0, 2, (4, n)).astype(float)
    layout = Layout(
        tuple(map(str, range(n))), weights[np.ix_(order, order)], rng.normal(0.2, 0.3, n), patterns, (0, n - 1),
        rng.random((4, 2)) < 0.5, tonic=0.2 * rng.integers(0, 2, n),
    )  # fmt: skip
    return layout


@cache
def natural():
    """A long session of the chain without lapses, its activity, and which pattern was shown."""
    session = chain().session(trials=60, duration=5.0, rng=stream(1, "session"))
    return session, chain().run(session, stream(1, "run")), np.array(session.conditions)


# --- tables ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_areas_that_settle_one_after_another_end_where_the_simulation_does(seed):
    layout, intact = random_layout(seed), members(6)
    order = in_order(layout.weights)
    assert order is not None
    assert np.array_equal(_settled(layout, intact, order), _simulated(layout, intact))
    assert len(set(achieved(layout, intact).tolist())) > 1  # there was something to agree on


def test_a_loop_is_simulated():
    """Two areas that keep one another on need no stimulus once they had one: here they hold each other up."""
    loop = with_weights(chain().layout, np.eye(5, k=1) + np.eye(5, k=-1))
    assert in_order(loop.weights) is None
    assert achieved(loop, members(5))[-1] == pytest.approx(1 / 3)  # everything comes on whatever is shown


@pytest.mark.parametrize("how", ["hold", "silence"])
def test_every_set_of_intact_areas_does_in_sessions_what_the_table_states(how):
    assert np.array_equal(measured(chain(), how=how), chain().values)


@pytest.mark.parametrize("hidden", [0, 1])
def test_lapses_enter_the_table_as_they_enter_sessions(hidden):
    subject = chain(np.array([0.1, 0.3, 0.0, 0.2, 0.5]), hidden)
    n_sets = 2**subject.layout.n_seen
    assert len(subject.values) == n_sets
    # of 32 sets of 240 trials each, one passes 4 standard errors with a chance of .002
    assert largest_z(measured(subject, 80), subject.values, 240) < 4


def test_a_subject_that_recovers_is_asked_what_it_is_without_the_others_for_good():
    """After the loss of `then` the last area hears `b`; adapted, `then` is needed by nobody."""

    def after(gone: np.ndarray) -> Layout:
        layout = chain().layout
        extra = np.zeros((5, 5))
        extra[1, 3] = float(gone[2])
        return with_weights(layout, layout.weights + extra)

    acute, chronic = (chain(0.1, after_loss=after, adapted=adapted) for adapted in (False, True))
    without = 2**5 - 1 - 2**2
    assert acute.values[-1] == pytest.approx(chronic.values[-1])
    assert acute.values[without] == pytest.approx(0.9 / 3)  # the first pattern alone, which `last` must not answer
    # a, b and last each lapse in a tenth; a in pattern 1, b and last in 2, all three in 3; in the intact, `then` too
    assert chronic.values[without] == pytest.approx((0.9 + 0.9**2 + 0.9**3) / 3)
    assert chronic.values[-1] == pytest.approx((0.9 + 0.9**3 + 0.9**4) / 3)


def test_edges_that_are_cut_in_sessions_do_what_their_table_states():
    subject = chain()
    pre, post = subject.edges
    assert list(zip(pre, post, strict=True)) == [(1, 2), (2, 3)]
    for kept, stated in zip(members(2), subject.edge_values(), strict=True):
        gain = np.ones((5, 5))
        gain[pre, post] = kept
        session = Session(3, 0.3, conditions=(0, 1, 2)).perturbed(Effect("gain", gain, 0.0, 0.3, over="pair"))
        assert float(subject.run(session, stream(0))["outcome"].mean()) == pytest.approx(stated)


# --- behaviour and effects -------------------------------------------------------------------------------------------


def test_two_responses_are_two_columns_of_behaviour_and_both_must_be_right():
    session, activity, pattern = natural()
    late = activity["behaviour"].values[:, activity["time"].values > 3.0].mean(axis=1)
    assert np.array_equal(late, chain().layout.wanted[pattern])
    assert activity["outcome"].values.all()
    quiet = session.perturbed(Effect("hold", np.array([0.0, *[np.nan] * 4]), 0.0, 5.0, tuple(range(30))))
    outcome = chain().run(quiet, stream(1, "run"))["outcome"].values
    assert np.array_equal(outcome, np.where(np.arange(60) < 30, pattern == 1, True))


def test_a_response_travels_one_tick_per_area():
    _, activity, pattern = natural()
    onset = 5.0 * 0.2
    for output, stages in ((0, 0), (1, 2)):
        on = activity["behaviour"].values[chain().layout.wanted[pattern][:, output], :, output]
        first = activity["time"].values[on.argmax(axis=1)]
        assert np.allclose(first, onset + stages * TICK)


def test_drive_turns_an_area_on_and_gain_cuts_it_off_from_the_next():
    both = Session(4, 0.3, conditions=(0, 0, 1, 1))
    on = Effect("drive", np.array([0, 1.0, 0, 0, 0]), 0.0, 0.3, (1,))
    cut = Effect("gain", np.array([1, 0.0, 1, 1, 1]), 0.0, 0.3, (3,))
    activity = chain().run(both.perturbed(on, cut), stream(0))
    late = activity["behaviour"].values[:, -10:].mean(axis=1)
    assert late.tolist() == [[1, 0], [1, 1], [0, 1], [0, 0]]
    assert activity["outcome"].values.tolist() == [1, 0, 1, 0]


def test_held_neurons_fire_at_their_rates_and_silenced_ones_not_at_all():
    hold = Effect("hold", np.array([120.0, np.nan, 0.0, np.nan, 25.0]), 1.0, 5.0)
    silence = Effect("drive", np.array([0, -10.0, 0, 0, 0]), 1.0, 5.0)
    session, _, _ = natural()
    held = chain().run(session.perturbed(hold, silence), stream(2, "run"))
    rate = in_window(held, 1.0, 4.0).mean(axis=0) / 4.0
    # 240 s: counts of refractory neurons vary by less than Poisson ones, 4 standard errors of which are these
    assert rate[0] == pytest.approx(120, abs=4 * np.sqrt(120 / 240))
    assert rate[4] == pytest.approx(25, abs=4 * np.sqrt(25 / 240))
    assert not rate[1:3].any()
    with pytest.raises(SimlabError, match="cannot be held above 500 Hz"):
        chain().run(session.perturbed(replace(hold, values=10 * hold.values)), stream(2, "run"))


def test_hidden_areas_take_part_unseen_and_nothing_that_is_done_reaches_them():
    subject = chain(hidden=1)
    assert subject.anatomy["region"].values.tolist() == ["a", "b", "then", "last"]
    assert subject.truth("connectivity", None, stream(0))["weight"].shape == (4, 4)
    session = subject.session(trials=6, duration=0.3, rng=stream(0))
    gains = Effect("gain", np.ones((2, 4, 4)), 0.0, 0.3, over="pair")
    everyone = Effect("hold", np.zeros(4), 0.0, 0.3), Effect("drive", np.full((3, 4), -10.0), 0.0, 0.3), gains
    activity = subject.run(session.perturbed(*everyone), stream(0))
    assert activity.sizes["neuron"] == 4
    assert not len(activity["spike_time"])
    with pytest.raises(SimlabError, match="one value per neuron"):
        subject.run(session.perturbed(Effect("hold", np.zeros(5), 0.0, 0.3)), stream(0))


# --- firing ----------------------------------------------------------------------------------------------------------


def test_areas_show_by_their_rates_with_the_irregularity_of_cortical_neurons():
    """Intervals of a Poisson neuron with 2 ms of refractoriness vary by 1 - r d: .92 at 40 Hz (Cox 1962); cortex .5 to
    1.1 (Shinomoto et al. 2009). Counts have a Fano factor of (1 - r d)^2 = .85; cortex .3 to 1.3 (Churchland 2010)."""
    _, activity, pattern = natural()
    count = in_window(activity, 1.1, 3.9)
    for area, shows in enumerate((pattern != 1, pattern > 0, pattern > 0, pattern > 0, pattern >= 0)):
        for on, rate in ((shows, ON), (~shows, OFF)):
            if on.any():
                assert count[on, area].mean() / 3.9 == pytest.approx(rate, abs=4 * np.sqrt(rate / 3.9 / on.sum()))
    steady = activity_statistics.interval_cv(activity)[4]
    assert steady == pytest.approx(1 - ON * REFRACTORY, abs=0.03)
    fano = count[:, 4].var(ddof=1) / count[:, 4].mean()
    assert fano == pytest.approx((1 - ON * REFRACTORY) ** 2, abs=4 * 0.85 * np.sqrt(2 / 59))
    mine = activity["spike_neuron"].values == 4
    trial, time = activity["spike_trial"].values[mine], activity["spike_time"].values[mine]
    assert np.diff(time)[np.diff(trial) == 0].min() >= REFRACTORY - 1e-4  # the lab's clock


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_every_pattern_is_shown_as_often_and_few_trials_show_any_of_them():
    subject = chain()
    assert np.bincount(subject.session(trials=9, duration=1.0, rng=stream(1)).conditions).tolist() == [3, 3, 3]
    few = [subject.session(trials=1, duration=1.0, rng=stream(s)).conditions[0] for s in range(30)]
    assert set(few) == {0, 1, 2}
    shown = natural()[0].stimulus
    assert shown.features == ("input 0", "input 1")
    assert np.isnan(shown.values[:, 0]).all()
    assert np.array_equal(shown.values[:, -1], chain().layout.features[natural()[2]])


def test_the_stimulus_alone_decides_where_there_are_no_conditions():
    session = natural()[0]
    assert np.array_equal(chain().layout.patterns_of(replace(session, conditions=None)), natural()[2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conditions": (3, 0, 0)}, r"conditions 0..2, got \[3\]"),
        ({"conditions": (0, 0, 1)}, r"must agree, got other ones in \[2\]"),
        ({"stimulus": Stimulus(("x",), np.ones((3, 5, 1)), 0.2)}, "shows 2 features, got 1"),
        ({"stimulus": Stimulus(("x", "y"), np.full((3, 5, 2), 0.5), 0.2)}, r"got \[\[0.5, 0.5\]\]: show one of them"),
    ],
)
def test_what_the_task_does_not_know_is_refused(change, message):
    values = np.repeat(chain().layout.features[[0, 0, 0]][:, None], 5, axis=1)
    session = Session(3, 1.0, Stimulus(("x", "y"), values, 0.2), (0, 0, 0))
    chain().run(session, stream(0))
    with pytest.raises(SimlabError, match=message):
        chain().run(replace(session, **change), stream(0))
