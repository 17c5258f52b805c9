"""What is hidden from the recording: an integrator of which too little is seen, and a model that predicts as well."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from circuits.memory.hidden_integrator import HiddenIntegrator, noisy_line
from experiments._attractor_controls import named
from methods.dynamics.data_constrained_network import DataConstrainedNetwork
from methods.dynamics.fitted_dynamics import FittedDynamics
from methods.dynamics.perturb_and_classify import PerturbAndClassify
from simlab.claims import Answer, Claim, Measured, difference, oracle_recovers
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.stimulating.ideal import Ideal

if TYPE_CHECKING:
    import pandas as pd

LINE = noisy_line()
SHARES = {share: Subsample(n_units=round(share * LINE.n_neurons)) for share in (1.0, 0.5, 0.25, 0.1)}
"""Instruments by the share of the neurons that they record."""
TRIALS = Plan(80, 2.0)
NETWORK, STATES, PUSHED = DataConstrainedNetwork(), FittedDynamics(), PerturbAndClassify()

WATCHED = Grid(
    circuits=(LINE,),
    rivals=(HiddenIntegrator(),),
    plans=(TRIALS,),
    instruments=tuple(SHARES.values()),
    methods=(NETWORK, STATES),
)
PUSHES = Grid(
    circuits=(LINE,),
    rivals=(HiddenIntegrator(),),
    plans=(TRIALS,),
    instruments=(SHARES[0.5], SHARES[0.25]),
    methods=(PUSHED,),
    stimulators=(Ideal(),),
    baselines=False,
)


def called_a_line(
    table: pd.DataFrame, answer: Answer, *, circuit: str, share: float, method: str = NETWORK.name
) -> Measured:
    """How often a method says line attractor of a circuit of which this share is recorded."""
    seen = {"circuit": circuit, "method": method, "instrument_label": label(SHARES[share])}
    return named(table, answer, "line attractor", **seen)


def told_apart(table: pd.DataFrame, answer: Answer, *, share: float, method: str) -> Measured:
    """How much more often a method says line attractor of the line than of the hidden integrator."""
    line, other = (
        called_a_line(table, answer, circuit=name, share=share, method=method)
        for name in ("line_attractor", "hidden_integrator")
    )
    return difference(line, other)


def made_by_hiding(table: pd.DataFrame, answer: Answer) -> Measured:
    """How much more often the fit calls the integrator a line attractor with a tenth of it recorded than with all."""
    few, all_of_it = (called_a_line(table, answer, circuit="hidden_integrator", share=s) for s in (0.1, 1.0))
    return difference(few, all_of_it)


QIAN = "Qian, Zavatone-Veth, Ruben & Pehlevan 2024, NeurIPS 37 (read at the level of abstract, figures and captions)"

CLAIMS = (
    Claim(
        "recorded_whole_the_chain_is_no_line",
        "A network fitted to all neurons of a feedforward integrator is called a line attractor in at most 20%.",
        "analytic: of all neurons the map is exp(J dt), all of whose modes decay within tau",
        partial(called_a_line, circuit="hidden_integrator", share=1.0),
        (0.0, 0.2),
        answers=True,
    ),
    Claim(
        "hiding_makes_a_line",
        "Fitted to a tenth of its neurons, it is called a line attractor more often than fitted to all, by 0.4 at "
        "least.",
        f"{QIAN}; the share and the step are ours",
        made_by_hiding,
        (0.4, 1.0),
        answers=True,
    ),
    *(
        Claim(
            f"a_line_is_a_line_at_{share:.0%}".replace("%", "_percent"),
            f"A network fitted to {share:.0%} of a line attractor is called one in at least 80%.",
            f"{QIAN}: its students are right of a teacher that is one",
            partial(called_a_line, circuit="line_attractor", share=share),
            (0.8, 1.0),
            answers=True,
        )
        for share in (1.0, 0.1)
    ),
    Claim(
        "states_that_last_are_a_line_however_many_are_seen",
        "The fit to directions that last, which never asks for a model of the neurons, does not tell the integrator "
        "from the line even if all of them are recorded.",
        "Goldman 2009, Neuron 61:621 (from memory), for memory without a slow mode",
        partial(told_apart, share=1.0, method=STATES.name),
        (-1.0, 0.2),
        answers=True,
    ),
    *(
        Claim(
            f"a_push_tells_them_apart_at_{share:.0%}".replace("%", "_percent"),
            f"With {share:.0%} of the neurons recorded and pushed, line attractor is said of the line more often than "
            "of the integrator, by 0.5 at least.",
            "Seung 1996, PNAS 93:13339, for what a push does on a line; Goldman 2009 for the chain (from memory)",
            partial(told_apart, share=share, method=PUSHED.name),
            (0.5, 1.0),
            answers=True,
        )
        for share in (0.5, 0.25)
    ),
    oracle_recovers("circuit"),
)

PARTIAL_OBSERVATION = Experiment(
    name="partial_observation",
    asks=(
        "A network that is trained to repeat a recording is dissected in place of the circuit. If a half, a quarter or "
        "a tenth of the neurons is recorded, does a feedforward integrator pass for a line attractor, and does a push "
        "say so?"
    ),
    grids=(WATCHED, PUSHES),
    claims=CLAIMS,
    subjects=20,
    time_limit=120.0,
)
