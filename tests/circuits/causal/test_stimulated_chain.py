"""Light on the head of one chain pulses its neighbour: what a pulse does by itself, and what light seems to show."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import simlab
from circuits.causal.stimulated_chain import FAR, StimulatedChain
from simlab.data import in_window, mean_rates
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.instruments.stimulating.optogenetics import Optogenetics
from simlab.session import Perturbation
from simlab.truths import Pulse

CHAIN, PULSE, START = StimulatedChain(pairs=1), Pulse(), 0.02
LIGHT = Optogenetics(expression=1.0, expression_spread=0.0)


@cache
def subject():
    return CHAIN.subject(np.random.default_rng(1))


@cache
def answered(stimulator):
    """(neuron,) more spikes in the window with a pulse aimed at A than without, over 300 trials each."""
    made = subject()
    key = Perfect().implant(made.anatomy, np.random.default_rng(0)).key
    actuator = stimulator.install(made.anatomy, key, np.random.default_rng(0))
    head = int(made.chains[0, 0, 0])
    aimed = Perturbation("stimulate", (head,), PULSE.strength, START, START + PULSE.duration)
    session = made.session(trials=300, duration=START + PULSE.window, rng=np.random.default_rng(0))
    runs = [made.run(session.perturbed(*effects), np.random.default_rng(2)) for effects in (actuator.aim(aimed), ())]
    lit, dark = (in_window(run, START, PULSE.window).mean(axis=0) for run in runs)
    return lit - dark


def test_a_pulse_into_the_head_alone_moves_its_own_chain_and_light_moves_both():
    (a, b), (c, d) = subject().chains[0]
    alone, lit = answered(Ideal()), answered(LIGHT)
    # A fires once or twice more; 6 mV of it add a third of a spike or so to B, each known to 0.04
    assert alone[a] > 0.8
    assert alone[b] > 0.1
    assert alone[[c, d]] == pytest.approx([0, 0], abs=1e-12)  # the same noise: nothing changes
    assert lit[c] > 0.7
    assert lit[d] > 0.1


def test_the_true_effect_is_along_chains_alone():
    truth = subject().truth("effect", None, np.random.default_rng(0))
    wired = subject().weights > 0
    response = truth["response"].values
    assert wired.sum() == 2
    assert (response[wired] > 0.1).all()
    others = ~wired & ~np.eye(4, dtype=bool)
    assert np.abs(response[others]).max() < 0.02
    np.testing.assert_allclose(
        response[tuple(subject().chains[0, 0])], answered(Ideal())[subject().chains[0, 0, 1]], atol=0.1
    )


def test_heads_lie_together_and_all_else_far():
    made = StimulatedChain(pairs=3, links=2).subject(np.random.default_rng(0))
    place = np.stack([made.anatomy[axis].values for axis in "xyz"], axis=1)
    apart = np.linalg.norm(place[:, None] - place[None], axis=2)
    heads = made.chains[:, :, 0]
    assert apart[heads[:, 0], heads[:, 1]] == pytest.approx(15e-6)
    near = (apart < 0.99 * FAR).sum()
    assert near == made.circuit.n_neurons + 6  # itself, and each head its neighbour


def test_it_fires_as_cortex_does_and_keeps_the_contract():
    made = subject()
    activity = made.run(made.session(trials=20, duration=1.0, rng=np.random.default_rng(0)), np.random.default_rng(1))
    assert ((mean_rates(activity) > 3) & (mean_rates(activity) < 25)).all()
    assert simlab.check(StimulatedChain(pairs=1), raises=False).ok
