"""The same behaviour by other means: trained networks that are equally good at a task, and what tells them apart."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from circuits.trained.cells import Cells
from circuits.trained.context_gating import ContextGating
from circuits.trained.context_selection import ContextSelection
from circuits.trained.trained_chain import TrainedChain
from circuits.trained.trained_decision import TrainedDecision
from circuits.trained.trained_follower import TrainedFollower
from circuits.trained.working_memory import WorkingMemory
from experiments._attractor_controls import named
from methods.dynamics.cross_temporal_decoding import CrossTemporalDecoding
from methods.dynamics.fitted_dynamics import FittedDynamics
from methods.dynamics.irrelevant_input import IrrelevantInput
from methods.dynamics.perturb_and_classify import PerturbAndClassify
from methods.dynamics.psychophysical_kernel import PsychophysicalKernel
from methods.dynamics.pulse_regime import PulseRegime
from methods.dynamics.pushed_carriers import PushedCarriers
from simlab.claims import Answer, Claim, Measured, difference, oracle_recovers
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.stimulating.ideal import Ideal

if TYPE_CHECKING:
    import pandas as pd

FORTY = (Subsample(n_units=40),)
HOLDING, DECIDING, CHOOSING = WorkingMemory(), TrainedDecision(), ContextSelection()
PULSED = TrainedDecision(cells=Cells(model="spiking"))
GATED, COPIES = ContextGating(CHOOSING), ContextGating(CHOOSING, copies=True)
CHAIN, FOLLOWER, SEQUENCE = "trained_chain", "trained_follower", "sequence"
RIVALS: dict[str, TrainedChain | TrainedFollower] = {
    CHAIN: TrainedChain(), FOLLOWER: TrainedFollower(), SEQUENCE: TrainedChain(reach="next"),
}  # fmt: skip


def like(circuit: WorkingMemory | TrainedDecision, *names: str) -> tuple[TrainedChain | TrainedFollower, ...]:
    """The rivals of these names, of this circuit's task."""
    return tuple(RIVALS[name].imitating(circuit) for name in names)


READ, KERNEL, STATES = CrossTemporalDecoding(), PsychophysicalKernel(), FittedDynamics()
PUSH, PULSE = PerturbAndClassify(), PulseRegime()
THERE, USED = IrrelevantInput(), PushedCarriers()

MEMORY = Grid(
    circuits=(HOLDING,),
    rivals=like(HOLDING, CHAIN, FOLLOWER, SEQUENCE),
    plans=(Plan(80, 2.0),),
    instruments=FORTY,
    methods=(READ, STATES, PUSH),
    stimulators=(Ideal(),),
)
LONGER = Grid(  # than the delay that all were trained for: added after the first networks were seen
    circuits=(HOLDING,),
    rivals=like(HOLDING, CHAIN, FOLLOWER, SEQUENCE),
    plans=(Plan(80, 5.0),),
    instruments=FORTY,
    methods=(READ, STATES),
    baselines=False,
)
DECISION = Grid(
    circuits=(DECIDING,),
    rivals=like(DECIDING, CHAIN, FOLLOWER),
    plans=(Plan(200, 1.0),),
    instruments=FORTY,
    methods=(KERNEL, READ),
)
PULSES = Grid(  # of the same networks, in spikes, as the method takes them: of 40 units' the sum is hardly read
    circuits=(PULSED,),
    rivals=like(PULSED, CHAIN, FOLLOWER),
    plans=(Plan(200, 1.0),),
    instruments=FORTY,
    methods=(PULSE,),
    stimulators=(Ideal(),),
)
CONTEXT = Grid(
    circuits=(CHOOSING,),
    rivals=(GATED, COPIES),
    plans=(Plan(240, 1.0),),
    instruments=FORTY,
    methods=(THERE, USED),
    stimulators=(Ideal(),),
)

OF_TASK: dict[str, WorkingMemory | TrainedDecision] = {"working_memory": HOLDING, "trained_decision": DECIDING}
AS_TRAINED, BEYOND = MEMORY.plans[0].duration, LONGER.plans[0].duration
LINE, SELECTION = "line attractor", "recurrent selection"


def called(
    table: pd.DataFrame, answer: Answer, *, method: str, of: str, said: str = LINE, seconds: float | None = None
) -> Measured:
    """How often a method gives this name to a circuit (by its label), over its subjects; in trials of so many seconds,
    where trials of several lengths were recorded."""
    where = {} if seconds is None else {"duration": seconds}
    return named(table, answer, said, method=method, circuit_label=of, **where)


def of_task(rival: str, circuit: str) -> str:
    """The label of a rival that imitates this circuit."""
    return label(RIVALS[rival].imitating(OF_TASK[circuit]))


def told_apart(
    table: pd.DataFrame, answer: Answer, *, method: str, circuit: str, rival: str, seconds: float | None = None
) -> Measured:
    """How much more often a method says line attractor of a circuit than of a rival that does the same task as well."""
    one = called(table, answer, method=method, of=label(OF_TASK[circuit]), seconds=seconds)
    other = called(table, answer, method=method, of=of_task(rival, circuit), seconds=seconds)
    return difference(one, other)


def forgotten(table: pd.DataFrame, answer: Answer, *, rival: str) -> Measured:
    """How much more often a pulse at the evidence's onset is called forgotten (driven) in a rival than in the line."""
    labels = (label(RIVALS[rival].imitating(PULSED)), label(PULSED))
    return difference(*(called(table, answer, method=PULSE.name, of=of, said="driven") for of in labels))


GOLDMAN = "Goldman 2009, Neuron 61:621 (from memory)"
ORHAN = "Orhan & Ma 2019, Nat Neurosci 22:275 (read at the level of the abstract)"
MANTE = "Mante, Sussillo, Shenoy & Newsome 2013, Nature 503:78 (from memory)"
TWIN = "theorem: both have one distribution"

FROM_BEHAVIOUR = tuple(
    Claim(
        f"behaviour_does_not_tell_a_{rival.removeprefix('trained_')}",
        f"The times at which evidence weighs on the choice do not tell a {rival.removeprefix('trained_')} from a line.",
        source,
        partial(told_apart, method=KERNEL.name, circuit="trained_decision", rival=rival),
        (-0.2, 0.2),
        answers=True,
    )
    for rival, source in (
        (CHAIN, "by training: both add up alike, to the same share of right trials"),
        (FOLLOWER, TWIN),
    )
)
BY_WATCHING = (
    Claim(
        "a_moving_code_gives_the_chain_away",
        "Decoding across the times of a delay tells a trained sequence from a line: by 0.5 at least.",
        f"{ORHAN}: sequential and persistent memories differ in their activity",
        partial(told_apart, method=READ.name, circuit="working_memory", rival=CHAIN, seconds=AS_TRAINED),
        (0.5, 1.0),
        answers=True,
    ),
    Claim(
        "but_not_where_evidence_keeps_coming",
        "It does not tell them where evidence is added up: as long as it comes in, all stages carry a part of the sum, "
        "and one readout reads them at all times.",
        "analytic: the report that chains were trained to give is one readout at all times",
        partial(told_apart, method=READ.name, circuit="trained_decision", rival=CHAIN),
        (-1.0, 0.2),
        answers=True,
    ),
    *(
        Claim(
            f"{method}_cannot_know_the_follower",
            f"{method} says line attractor of neurons that repeat a trained network as often as of the network.",
            TWIN,
            partial(told_apart, method=method, circuit="working_memory", rival=FOLLOWER, seconds=AS_TRAINED),
            (-0.2, 0.2),
            answers=True,
        )
        for method in (READ.name, STATES.name)
    ),
    Claim(
        "a_strict_sequence_gives_itself_away",
        "Decoding across the times of a delay tells a chain whose stages drive the next alone from a line: by 0.5 at "
        "least. (Added after chains that may skip stages were seen to pass for a line.)",
        f"{ORHAN}; by construction: a value is where it has come to",
        partial(told_apart, method=READ.name, circuit="working_memory", rival=SEQUENCE, seconds=AS_TRAINED),
        (0.5, 1.0),
        answers=True,
    ),
    Claim(
        "a_longer_delay_gives_any_chain_away",
        "In trials of 5 s, 3 s longer than all were trained for, decoding across times says line attractor of lines "
        "more often than of chains, by 0.5 at least. (Added after the same.)",
        "by construction: a chain of 32 stages of 0.1 s is empty after 3.2 s",
        partial(told_apart, method=READ.name, circuit="working_memory", rival=CHAIN, seconds=BEYOND),
        (0.5, 1.0),
        answers=True,
    ),
)
BY_PUSHING = (
    Claim(
        "a_push_knows_a_trained_line",
        "Pushing groups of units says line attractor of networks that were trained into one, in at least 0.8.",
        "Seung 1996, PNAS 93:13339; the control that must say yes",
        partial(called, method=PUSH.name, of=label(HOLDING)),
        (0.8, 1.0),
        answers=True,
    ),
    Claim(
        "a_push_says_no_to_the_follower",
        "It says so of neurons that only hear of one in at most 0.1.",
        "by construction: a push is over when its current is; the control that must say no",
        partial(called, method=PUSH.name, of=of_task(FOLLOWER, "working_memory")),
        (0.0, 0.1),
        answers=True,
    ),
    Claim(
        "a_push_tells_the_chain",
        "It tells a trained sequence from a trained line: by 0.5 at least.",
        GOLDMAN,
        partial(told_apart, method=PUSH.name, circuit="working_memory", rival=CHAIN, seconds=AS_TRAINED),
        (0.5, 1.0),
        answers=True,
    ),
    Claim(
        "a_pulse_tells_who_decides",
        "A pulse at the evidence's onset is called forgotten in followers more often than in networks that decide, by "
        "0.5 at least.",
        "Kopec et al. 2015, Neuron 88:367; Finkelstein et al. 2021, Nat Neurosci 24:843",
        partial(forgotten, rival=FOLLOWER),
        (0.5, 1.0),
        answers=True,
    ),
    Claim(
        "a_pulse_on_its_way_is_not_forgotten",
        "And in chains no more often than in networks with a line, by 0.2 at most: it is still on its way when the "
        "trial ends.",
        GOLDMAN,
        partial(forgotten, rival=CHAIN),
        (-1.0, 0.2),
        answers=True,
    ),
)
BY_CONTEXT = tuple(
    Claim(name, statement, source, partial(called, method=method, of=of, said=SELECTION), band, answers=True)
    for name, statement, source, method, of, band in (
        (
            "what_is_irrelevant_is_there",
            "Where both senses are let in, the one that does not count can be read from the population in 0.8 or more.",
            MANTE,
            THERE.name,
            label(CHOOSING),
            (0.8, 1.0),
        ),
        (
            "what_is_shut_out_is_not",
            "Where a gate shuts it out it is said to be there in at most 0.1.",
            "by construction: the slope of a shut neuron is .0013",
            THERE.name,
            label(GATED),
            (0.0, 0.1),
        ),
        (
            "copies_pass_for_selection",
            "Copies that nobody listens to make a gate pass for recurrent selection in at least 0.8.",
            "by construction: what can be read need not be used",
            THERE.name,
            label(COPIES),
            (0.8, 1.0),
        ),
        (
            "pushing_the_carriers_knows_selection",
            "Pushing the units that carry it, where it counts, says recurrent selection of these in 0.8 or more.",
            "by construction: the same neurons bring it in in both contexts",
            USED.name,
            label(CHOOSING),
            (0.8, 1.0),
        ),
        (
            "and_is_not_fooled_by_copies",
            "And of a gate beside copies in at most 0.1.",
            "by construction: copies drive nobody",
            USED.name,
            label(COPIES),
            (0.0, 0.1),
        ),
    )
)

SAME_BEHAVIOUR_OTHER_MECHANISM = Experiment(
    name="same_behaviour_other_mechanism",
    asks=(
        "Networks are trained to add up evidence, to hold a value and to choose by context, each in several ways that "
        "are equally good: along a line of slow states, through a chain of stages, elsewhere; behind a gate, or by "
        "selection within. Behaviour is the same. Who tells the mechanisms apart, of those who watch the neurons and "
        "of those who push them, and where can nobody know?"
    ),
    grids=(MEMORY, LONGER, DECISION, PULSES, CONTEXT),
    claims=(*FROM_BEHAVIOUR, *BY_WATCHING, *BY_PUSHING, *BY_CONTEXT, oracle_recovers("circuit")),
    subjects=12,
    time_limit=180.0,
)
