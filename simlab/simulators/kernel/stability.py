"""What to say of a simulation that ran away: when, where, and which step would do."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from simlab.contracts import SimlabError
from simlab.simulators.kernel.effect_tables import EffectTables
from simlab.simulators.kernel.shared import Shared
from simlab.simulators.kernel.trial import Trial
from simlab.simulators.spiking_plan import Plan
from simlab.simulators.spiking_values import TrialStreams

FINER = (2, 4, 8, 16, 32, 64)
"""By how much shorter steps are tried."""

WORK = 2e8
"""Neurons x steps that trying them may take."""

MARGIN = 200
"""Steps past the failure for which a shorter step must hold."""


class Loss(NamedTuple):
    """Where a trial ran away: the step, and the population, variable, value and neuron (of all) first met there."""

    step: int
    name: str
    value: float
    neuron: int


def lost(trial: Trial) -> Loss | None:
    """A variable that is no finite number; None if all are."""
    for argument, value in trial.of_kind("neuron"):
        if not np.isfinite(value).all():
            worst = int(np.flatnonzero(~np.isfinite(value))[0])
            neuron = worst + int(trial.network.first[argument.owner])
            return Loss(-1, argument.name, float(value[worst]), neuron)
    return None


def explained(shared: Shared, number: int, streams: TrialStreams) -> SimlabError:
    """The error of a trial that ran away: it is run again, step by step, and then with shorter steps."""
    plan = shared.plan
    loss = _first_loss(shared, number, streams, plan.steps)
    assert loss is not None  # it ran away before
    time = (loss.step - plan.burn_in_steps) * plan.dt
    who = f"{plan.network.name or 'the network'}: {loss.name} of neuron {loss.neuron} became {loss.value}"
    when = f"at {time:.6g} s of trial {number}, with steps of {plan.dt} s"
    return SimlabError(f"{who} {when}; {_advice(shared, loss, number, streams)}")


def _first_loss(shared: Shared, number: int, streams: TrialStreams, until: int) -> Loss | None:
    """Where a trial runs away before a step, if it does."""
    mine = streams.again()
    trial = Trial(shared, number, mine, EffectTables(shared, np.array([number]), [mine]))
    step = 0
    while step < until:
        stop = min(step + shared.block, until)
        kept = trial.copy()
        trial.advance(step, stop)
        if lost(trial) is not None:
            return _bisected(kept, step, stop)
        step = stop
    return None


def _bisected(trial: Trial, first: int, stop: int) -> Loss:
    """The step between two at which a trial runs away, which it does."""
    while stop - first > 1:
        middle, ahead = (first + stop) // 2, trial.copy()
        ahead.advance(first, middle)
        if lost(ahead) is None:
            first, trial = middle, ahead
        else:
            stop = middle
    trial.advance(first, stop)
    loss = lost(trial)
    assert loss is not None
    return loss._replace(step=first)


def _advice(shared: Shared, loss: Loss, number: int, streams: TrialStreams) -> str:
    plan, until = shared.plan, min(loss.step + MARGIN, shared.plan.steps)
    tried = 0.0
    for factor in FINER:
        tried += until * factor * plan.network.n_neurons
        if tried > WORK:
            return f"take a shorter step: dt={plan.dt / factor:g} or less"
        finer = Shared(_finer(plan, factor), shared.kernel)
        if _first_loss(finer, number, streams, until * factor) is None:
            return f"dt={plan.dt / factor:g} would do"
    return f"no step down to {plan.dt / FINER[-1]:g} s would do: the equations themselves run away"


def _finer(plan: Plan, factor: int) -> Plan:
    return replace(
        plan,
        dt=plan.dt / factor,
        burn_in_steps=plan.burn_in_steps * factor,
        trial_steps=plan.trial_steps * factor,
    )
