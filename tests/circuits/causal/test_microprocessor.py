"""What is said of the processor and of its twin holds when they run; lesions by another road than the screen's."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.causal.lookup_machine import LookupMachine
from circuits.causal.machines import lesions, localisation, module_lesions
from circuits.causal.microprocessor import Microprocessor
from simlab.contracts import SimlabError
from simlab.data import bin_spikes
from simlab.session import Effect, Session, Stimulus

CIRCUIT, TWIN = Microprocessor(), LookupMachine()
DURATION = 1.0


def subject_of(circuit):
    return circuit.subject(np.random.default_rng(0))


def session_of(trials=12):
    return subject_of(CIRCUIT).session(trials=trials, duration=DURATION, rng=np.random.default_rng(1))


def ran(circuit, session, seed=2):
    return subject_of(circuit).run(session, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def natural():
    """The same session on both machines."""
    return {circuit.name: ran(circuit, session_of()) for circuit in (CIRCUIT, TWIN)}


@pytest.fixture(scope="module")
def screened():
    """Lesions of every unit under the three behaviours."""
    return lesions(CIRCUIT, pairs=3)


def held(members, start=0.0, stop=DURATION, rate=0.0, trials=None):
    return Effect("hold", np.where(members, rate, np.nan), start, stop, trials=trials)


def test_an_intact_machine_is_always_right_and_a_region_without_which_it_fails_is_needed():
    session, truth, regions = session_of(12), localisation(CIRCUIT), subject_of(CIRCUIT).anatomy["region"].values
    assert ran(CIRCUIT, session).outcome.values.min() == 1.0
    condition = np.array(session.conditions)
    for region in truth["region"].values:
        lost = 1 - ran(CIRCUIT, session.perturbed(held(regions == region))).outcome.values
        for behaviour in range(3):
            involved = float(truth["involvement"].sel(region=region)[behaviour])
            seen = lost[condition == behaviour].mean()
            assert (seen == 0) == (involved == 0), (region, behaviour)
            assert abs(seen - involved) < 0.5  # of other operands, and fewer turns


def test_modules_that_look_specific_by_three_behaviours_serve_the_instruction_set():
    truth = localisation(CIRCUIT)
    needed = (truth["involvement"].values > 0.05).sum(axis=1)
    assert set(truth["region"].values[needed == 1]) == {"logic"}
    assert set(truth["region"].values[needed == 0]) == {"shifter", "status"}
    function = dict(zip(truth["region"].values, truth["function"].values, strict=True))
    assert function.pop("status") == "none"
    assert set(function.values()) == {"generic"}
    assert truth["generic"].sel(region="clock") == 1.0
    assert 0.2 < truth["generic"].sel(region="shifter") < 0.9


def test_areas_of_the_lookup_machine_serve_one_behaviour_each():
    function = localisation(TWIN)["function"]
    for number in range(3):
        assert function.sel(region=f"table {number}") == function.sel(region=f"sequence {number}")
        assert function.sel(region=f"table {number}") == f"behaviour {number}"
    assert function.sel(region="output port") == "generic"
    assert function.sel(region="status") == "none"


def test_the_lookup_machine_shows_the_same_words_at_the_same_ticks(natural):
    one, other = natural["microprocessor"], natural["lookup_machine"]
    np.testing.assert_array_equal(one["behaviour"], other["behaviour"])
    assert other["outcome"].values.min() == one["outcome"].values.min() == 1.0
    assert one["behaviour"].values[:, :, -1].sum(axis=1).min() >= 12  # words of a trial


def test_most_lesions_do_nothing_or_end_everything_and_what_looks_specific_is_not(screened):
    found, others = screened, lesions(CIRCUIT, CIRCUIT.programs[3:13], pairs=1)
    classes = found.classes()
    assert sum(classes.values()) == CIRCUIT.machine.net.n_units
    assert classes["no effect"] > 0.4 * sum(classes.values())
    assert classes["abolish all"] > 0.1 * sum(classes.values())
    specific = found.needed.sum(axis=1) == 1
    assert specific.sum() > 30
    assert others.needed[specific].any(axis=1).mean() > 0.8
    status = np.array([name.startswith("status") for name in found.parts])
    assert not found.needed[status].any()
    assert not others.needed[status].any()


def test_a_unit_silenced_in_a_session_costs_what_the_screen_says(screened):
    session, found = session_of(24), screened
    for name in ("clock.phase7", "adder.carry0", "logic.xor0", "control.zero", "data memory.word5.1"):
        unit = found.parts.index(name)
        lost = 1 - ran(CIRCUIT, session.perturbed(held(np.arange(len(found.parts)) == unit))).outcome.values
        by_behaviour = np.array([lost[np.array(session.conditions) == b].mean() for b in range(3)])
        np.testing.assert_array_equal(by_behaviour > 0.05, found.needed[unit])


@pytest.mark.parametrize("circuit", [CIRCUIT, TWIN], ids=lambda c: c.name)
def test_a_unit_reaches_in_one_tick_those_that_it_is_wired_to_and_no_others(circuit):
    subject, weights = subject_of(circuit), subject_of(circuit).truth("connectivity", None, None)["weight"].values
    session, n, rng = session_of(3), circuit.machine.net.n_units, np.random.default_rng(3)
    for unit in rng.choice(n, 4, replace=False):
        start = float(rng.integers(300, 900)) * circuit.tick
        reached = np.zeros(n, bool)
        with_and_without = [
            subject.run(
                session.perturbed(held(np.arange(n) == unit, start, start + circuit.tick, rate)),
                np.random.default_rng(2),
            )
            for rate in (0.0, 1 / circuit.tick)
        ]
        counts = [bin_spikes(a, circuit.tick).values for a in with_and_without]
        first = round(start / circuit.tick)
        differ = (counts[0] != counts[1])[:, : first + 2]
        reached = differ[:, first + 1].any(axis=0)
        assert not differ[:, :first].any()
        assert not reached[(weights[unit] == 0) & (np.arange(n) != unit)].any()
    assert not np.diag(weights).any()


def test_rates_are_those_of_a_busy_population_and_modules_lie_apart(natural):
    rates = np.bincount(natural["microprocessor"]["spike_neuron"], minlength=478) / 12 / DURATION
    assert 49 <= rates.max() <= 51  # the ring of the clock and what it pulses
    assert 5 < rates[rates > 0].mean() < 30
    anatomy = subject_of(CIRCUIT).anatomy
    place = np.column_stack([anatomy["x"], anatomy["y"]])
    for region in np.unique(anatomy["region"].values):
        inside = anatomy["region"].values == region
        low, high = place[inside].min(axis=0), place[inside].max(axis=0)
        within = ((place >= low) & (place <= high)).all(axis=1)
        assert np.array_equal(within, inside)


def test_the_same_programs_run_by_number_whatever_the_subject():
    session = Session(5, DURATION, session_of(5).stimulus, (3, 4, 34, 3, 0))
    assert ran(CIRCUIT, session).outcome.values.tolist() == [1.0] * 5
    assert len({p.instructions for p in CIRCUIT.programs}) == 35


def test_heat_makes_errors():
    assert ran(Microprocessor(temperature=0.05), session_of(6)).outcome.values.mean() < 0.9


@pytest.mark.parametrize(
    ("session", "rule"),
    [
        (Session(2, 1.0, conditions=(0, 35)), r"number of a program, 0\.\.34, got \[35\]"),
        (Session(1, 1.0, Stimulus(("angle",), np.zeros((1, 1, 1)), 1.0)), "features input 0, input 1"),
        (Session(1, 1.0, Stimulus(("input 0", "input 1"), np.full((1, 1, 2), 16.0), 1.0)), r"whole numbers 0\.\.15"),
        (Session(1, 1.0, Stimulus(("input 0", "input 1"), np.eye(2)[None], 0.5)), "stay the same within a trial"),
        (Session(1, 0.01), "must last a turn of the clock, 0.02 s"),
    ],
)
def test_what_the_machine_cannot_do_is_refused_by_rule(session, rule):
    with pytest.raises(SimlabError, match=rule):
        ran(CIRCUIT, session)


def test_a_clock_too_fast_for_its_words_is_refused():
    with pytest.raises(SimlabError, match="clock_period must let the deepest path settle, 20 ticks"):
        Microprocessor(word_width=6, clock_period=19)


def test_module_lesions_of_other_programs_are_lesions_too():
    found = module_lesions(CIRCUIT, CIRCUIT.programs[3:5], pairs=1)
    assert found.outcome.shape == (14, 2)
    assert found.parts[0] == "clock"
    assert found.outcome[0].tolist() == [0.0, 0.0]
