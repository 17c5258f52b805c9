"""Of `attractor_or_not`: memories that look like a line attractor, of rates and of spiking neurons."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from circuits.memory.discrete_attractors import DiscreteAttractors
from circuits.memory.external_memory import ExternalMemory
from circuits.memory.goldman_chain import GoldmanChain
from circuits.memory.integrator_follower import IntegratorFollower
from circuits.memory.line_attractor import LineAttractor
from circuits.memory.slow_cells import SlowCells
from circuits.memory.spiking_integrator import SpikingIntegrator
from experiments._attractor_controls import DYNAMICS, FORTY, named
from methods.dynamics.gated_mechanism import GatedMechanism
from methods.states.autocorrelation_fit import AutocorrelationFit
from simlab.claims import Answer, Claim, Measured, difference, mean
from simlab.experiment import Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.stimulating.ideal import Ideal

if TYPE_CHECKING:
    import pandas as pd

SLOW = AutocorrelationFit(bin_width=0.1, longest=1.0)
"""With its own bins of 20 ms it abstains: within them spikes are too regular."""
LINES = Grid(
    circuits=(LineAttractor(),),
    rivals=(GoldmanChain(), SlowCells(), ExternalMemory(), DiscreteAttractors()),
    plans=(Plan(80, 2.0),),
    instruments=FORTY,
    methods=(*DYNAMICS, GatedMechanism(), SLOW),
    stimulators=(Ideal(),),
    baselines=False,
)
SPIKING = Grid(  # the same question of spikes all the way down
    circuits=(SpikingIntegrator(),),
    rivals=(IntegratorFollower(),),
    plans=(Plan(80, 2.0),),
    instruments=FORTY,
    methods=DYNAMICS,
    stimulators=(Ideal(),),
    baselines=False,
)
GRIDS = (LINES, SPIKING)


def told_apart(
    table: pd.DataFrame, answer: Answer, *, method: str, rival: str, circuit: str = "line_attractor"
) -> Measured:
    """How much more often a method says `line attractor` of the line than of what only looks like one."""
    seen = {"method": method, "instrument_label": label(FORTY[0])}  # other shares: `partial_observation`
    line, other = (named(table, answer, "line attractor", circuit=name, **seen) for name in (circuit, rival))
    return difference(line, other)


def memory_too_short(table: pd.DataFrame) -> Measured:
    """How far off [of the truth] an exponential fitted to trials of 2 s puts memories of 20 s."""
    kept = ("line_attractor", "slow_cells", "external_memory")
    return mean(table, "relative_error", method="autocorrelation_fit", circuit=kept)


PASSIVELY_ALIKE = tuple(
    Claim(
        f"watching_takes_{rival}_for_a_line",
        f"A state model fitted to passive recordings says line attractor of {what} as often as of a line attractor.",
        source,
        partial(told_apart, method="fitted_dynamics", rival=rival),
        (-1.0, 0.2),
        answers=True,
    )
    for rival, what, source in (
        ("goldman_chain", "a hidden feedforward chain", "Goldman 2009, Neuron 61:621 (from memory)"),
        ("slow_cells", "unconnected slow cells", "Egorov et al. 2002, Nature 420:173, for the cells; analytic"),
        ("external_memory", "neurons that repeat a line attractor", "theorem: both have one distribution"),
    )
)
PUSHED_APART = tuple(
    Claim(
        f"a_push_tells_{rival}_from_a_line",
        f"Pushing groups of units tells {what} from a line attractor: by a margin of at least 0.8.",
        "Goldman 2009, Neuron 61:621 (from memory); Seung 1996, PNAS 93:13339",
        partial(told_apart, method="perturb_and_classify", rival=rival),
        (0.8, 1.0),
        answers=True,
    )
    for rival, what in (
        ("goldman_chain", "a hidden feedforward chain"),
        ("slow_cells", "unconnected slow cells"),
        ("external_memory", "neurons that repeat a line attractor"),
    )
)
FOLLOWED = partial(told_apart, circuit="spiking_integrator", rival="integrator_follower")
CLAIMS = (
    *PASSIVELY_ALIKE,
    *PUSHED_APART,
    Claim(
        "watching_takes_a_follower_for_a_spiking_integrator",
        "A state model fitted to passive recordings says line attractor of neurons that only hear of a spiking "
        "integrator as often as of the integrator.",
        "theorem: both have one distribution",
        partial(FOLLOWED, method="fitted_dynamics"),
        (-1.0, 0.2),
        answers=True,
    ),
    Claim(
        "a_push_tells_a_follower_from_a_spiking_integrator",
        "Pushing groups of units tells neurons that only hear of a spiking integrator from the integrator: by a margin "
        "of at least 0.8.",
        "Seung, Lee, Reis & Tank 2000, Neuron 26:259, for the mechanism",
        partial(FOLLOWED, method="perturb_and_classify"),
        (0.8, 1.0),
        answers=True,
    ),
    Claim(
        "short_trials_hide_long_memories",
        "An exponential fitted to the autocorrelation of trials of 2 s takes memories of 20 s for less than half.",
        "Zeraati, Engel & Levina 2022, Nat Comput Sci 2:193: a trial's own mean takes slow changes away",
        memory_too_short,
        (-1.0, -0.5),
    ),
)
