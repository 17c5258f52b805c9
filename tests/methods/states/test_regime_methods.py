"""Avalanches, neighbours that part and two modes: found where they are, and not in what lacks them."""

from functools import cache

import numpy as np
import pytest

from circuits.states.branching import Branching
from circuits.states.chaotic_rates import ChaoticRates
from circuits.states.low_rank import LowRank
from circuits.states.slow_drive_states import SlowDriveStates
from circuits.states.up_down import UpDown
from methods.dynamics.switching_lds import SwitchingLds
from methods.states._avalanches import exponent, runs
from methods.states.avalanche_log_log import AvalancheLogLog
from methods.states.avalanche_powerlaw import AvalanchePowerlaw, distance
from methods.states.bistability import Bistability
from methods.states.crackling_relation import CracklingRelation
from methods.states.lyapunov import Lyapunov
from simlab.checks.problem import spiking_recording
from simlab.instruments.recording.perfect import Perfect
from simlab.session import Session

RNG = np.random.default_rng
BRIEF = {"candidates": ("branching process", "common drive")}
AVALANCHE = (AvalancheLogLog(), AvalanchePowerlaw(), CracklingRelation())
NEAR = Lyapunov(n_surrogates=19, references=100, most_states=3000)


@cache
def recorded(circuit, trials, duration):
    subject = circuit.subject(RNG(1))
    return Perfect().implant(subject.anatomy, RNG(3)).record(subject.run(Session(trials, duration), RNG(2)), RNG(4))


def test_avalanches_are_runs_between_empty_bins():
    sizes, lengths = runs(np.array([[1, 0, 2, 3, 0, 1, 0, 4], [0, 0, 5, 0, 0, 1, 1, 0]]))
    assert sorted(zip(sizes.tolist(), lengths.tolist(), strict=True)) == [(1, 1), (2, 2), (5, 1), (5, 2)]


def test_exponent_and_distance_of_a_power_law_that_was_drawn():
    support = np.arange(1, 10_000)
    law = np.cumsum(support**-1.5)
    drawn = support[np.searchsorted(law / law[-1], RNG(1).random(3000))]
    assert exponent(drawn, 1, 9999) == pytest.approx(1.5, abs=0.04)
    assert distance(drawn, 1) < 0.03  # Kolmogorov-Smirnov: about .9 / sqrt(3000), and the law's end
    assert distance(RNG(1).geometric(0.1, 3000), 1) > 0.2


def test_a_branching_process_that_is_set_off_now_and_then_looks_critical_and_poisson_units_do_not():
    sparse = recorded(Branching(n_neurons=200, branching_ratio=0.99, mean_rate=0.5), 60, 10.0).assign_attrs(brief=BRIEF)
    noise = spiking_recording(40, 10.0).assign_attrs(brief=BRIEF)
    found = AvalancheLogLog().analyse(sparse, RNG(5))
    assert found.estimate["label"] == "branching process"
    assert found.notes["exponent"] == pytest.approx(1.5, abs=0.2)
    assert AvalanchePowerlaw().analyse(sparse, RNG(5)).notes["exponent"] == pytest.approx(1.5, abs=0.25)
    assert CracklingRelation().analyse(sparse, RNG(5)).notes["of_mean_size"] > 1.2  # 2 in theory, 1 if nothing grows
    for method in AVALANCHE:
        assert method.analyse(noise, RNG(5)).estimate["label"] == "common drive"


@pytest.mark.parametrize("method", AVALANCHE)
def test_too_few_avalanches_or_other_candidates_are_refused(method):
    assert "avalanches" in method.analyse(spiking_recording(10, 1.0, 5).assign_attrs(brief=BRIEF), RNG(5)).abstained
    other = spiking_recording(40, 10.0).assign_attrs(brief={"candidates": ("feedforward", "ring attractor")})
    assert "tells branching process from its rivals" in method.analyse(other, RNG(5)).abstained


def test_chaos_is_told_from_noise_through_the_same_couplings():
    chaos = NEAR.analyse(recorded(ChaoticRates(n_neurons=120), 40, 1.5), RNG(5))
    assert chaos.estimate["label"] == "chaos"
    assert chaos.notes["exponent"] > 0
    noise = recorded(ChaoticRates(n_neurons=120, gain=0.8, noise=0.3), 40, 1.5)
    assert "no chaos" in NEAR.analyse(noise, RNG(5)).abstained
    still = recorded(ChaoticRates(n_neurons=120, gain=0.5), 10, 1.0)
    assert NEAR.analyse(still, RNG(5)).abstained


def test_spikes_are_refused_for_neighbouring_states():
    assert "too coarse" in NEAR.analyse(spiking_recording(20, 2.0), RNG(5)).abstained


def test_two_states_are_found_in_a_network_that_has_them_and_not_under_a_slow_drive():
    circuit = UpDown(n_excitatory=40, n_inhibitory=10)
    found = Bistability().analyse(recorded(circuit, 20, 4.0), RNG(5))
    assert found.estimate["label"] == "bistable"
    assert 0.2 < found.notes["dwell_high"] < 1.5
    assert "one mode" in Bistability().analyse(recorded(SlowDriveStates(circuit), 20, 4.0), RNG(5)).abstained
    assert Bistability().analyse(spiking_recording(20, 2.0), RNG(5)).abstained
    switching = SwitchingLds(rounds=15)
    assert switching.analyse(recorded(circuit, 20, 4.0), RNG(5)).estimate["label"] == "bistable"
    assert switching.analyse(recorded(SlowDriveStates(circuit), 20, 4.0), RNG(5)).abstained


def test_a_low_rank_network_is_no_chaos():
    assert NEAR.analyse(recorded(LowRank(n_neurons=100), 40, 1.5), RNG(5)).abstained
