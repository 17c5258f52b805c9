"""What a good fit hides: an integrator of which too little is seen, and states that no neuron has."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from circuits.latent.markov_states import MarkovStates
from circuits.latent.own_states import OwnStates
from circuits.memory.hidden_integrator import HiddenIntegrator, noisy_line
from experiments._attractor_controls import named
from methods.dynamics.data_constrained_network import DataConstrainedNetwork
from methods.dynamics.fitted_dynamics import FittedDynamics
from methods.dynamics.perturb_and_classify import PerturbAndClassify
from methods.latents.hidden_markov_latents import HiddenMarkovLatents
from simlab.claims import Answer, Claim, Measured, chosen, difference, mean, oracle_recovers, paired_difference, rate
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
ANY, BEST, FEW_SHOT, CONSISTENT = (HiddenMarkovLatents(c) for c in ("any", "best", "few_shot", "consistency"))
EXTRANEOUS = Grid(
    circuits=(MarkovStates(),),
    rivals=(OwnStates(),),
    plans=(Plan(60, 2.0),),
    instruments=(SHARES[0.5],),
    methods=(ANY, BEST, FEW_SHOT, CONSISTENT),
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


def of_choice(table: pd.DataFrame, *, method: HiddenMarkovLatents, metric: str) -> Measured:
    """A metric of the latents of the model that is chosen in one way, the mean over subjects."""
    return mean(table, metric, circuit="markov_states", method_label=label(method))


def found_by(table: pd.DataFrame, *, method: HiddenMarkovLatents) -> Measured:
    """How often the states are recovered, neither too few nor too many, by one way to choose."""
    return rate(table, "recovered", circuit="markov_states", method_label=label(method))


def chosen_rather(table: pd.DataFrame, *, method: HiddenMarkovLatents) -> Measured:
    """By how much more often one way to choose recovers the states than any model that predicts as well, paired."""
    this, other = ({"method_label": label(each)} for each in (method, ANY))
    return paired_difference(table, "recovered", this, other, circuit="markov_states")


def made_up(table: pd.DataFrame) -> Measured:
    """How often few-shot co-smoothing finds states among neurons that each have their own."""
    rows = chosen(table, circuit="own_states", method_label=label(FEW_SHOT))
    return rate(rows.assign(claimed=(rows["status"] == "ok").astype(float), status="ok"), "claimed")


DABHOLKAR = "Dabholkar & Barak 2025, PLoS Comput Biol 21:e1013789 (read at the level of the abstract)"
GENKIN = "Genkin & Engel 2020, Nat Mach Intell 2:674 (read at the level of the abstract)"
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
    Claim(
        "models_that_predict_well_hold_the_states",
        "Models within 5% of the best co-smoothing score explain the true states: R2 of 0.9 at least.",
        DABHOLKAR,
        partial(of_choice, method=ANY, metric="r2_of_truth"),
        (0.9, 1.0),
    ),
    Claim(
        "and_more_that_nobody_has",
        "And the true states do not explain theirs: R2 of 0.75 at most.",
        f"{DABHOLKAR}; the number is ours",
        partial(of_choice, method=ANY, metric="r2_of_answer"),
        (0.0, 0.75),
    ),
    *(
        Claim(
            f"{name}_finds_the_states_that_are_there",
            f"Chosen among them {how}, the model has the true states and no others in at least 80%.",
            source,
            partial(found_by, method=method),
            (0.8, 1.0),
        )
        for name, how, source, method in (
            ("few_shot", "by few-shot co-smoothing", DABHOLKAR, FEW_SHOT),
            ("consistency", "by what two halves of the trials agree on", GENKIN, CONSISTENT),
        )
    ),
    Claim(
        "few_shot_rather_than_any",
        "Few-shot co-smoothing recovers the states more often than a model that co-smoothing calls as good, by 0.4 at "
        "least.",
        f"{DABHOLKAR}; the step is ours",
        partial(chosen_rather, method=FEW_SHOT),
        (0.4, 1.0),
    ),
    Claim(
        "no_states_among_neurons_with_their_own",
        "Where each neuron jumps when it likes, few-shot co-smoothing claims states in at most 10%.",
        "by construction: nothing predicts neurons that were held out",
        made_up,
        (0.0, 0.1),
    ),
    oracle_recovers("circuit"),
)

PARTIAL_OBSERVATION = Experiment(
    name="partial_observation",
    asks=(
        "A network that is trained to repeat a recording is dissected in place of the circuit. If a half, a quarter or "
        "a tenth of the neurons is recorded, does a feedforward integrator pass for a line attractor, and does a push "
        "say so? And of hidden Markov models that predict a population equally well, which has the states that it has?"
    ),
    grids=(WATCHED, PUSHES, EXTRANEOUS),
    claims=CLAIMS,
    subjects=20,
    time_limit=120.0,
)
