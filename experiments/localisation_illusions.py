"""What a lesion seems to say: redundant, gating, compensating, permissive areas, and a patch along a dormant path."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from circuits.causal.compensating import Compensating
from circuits.causal.direct_path import DirectPath
from circuits.causal.dormant_path import DormantPath
from circuits.causal.elsewhere import Elsewhere
from circuits.causal.gated import Gated
from circuits.causal.off_target import OffTarget
from circuits.causal.redundant import Redundant
from circuits.causal.single_path import SinglePath
from circuits.causal.two_pathways import TwoPathways
from circuits.causal.ungated import Ungated
from methods.intervention.activation_patching import ActivationPatching
from methods.intervention.lesion_screen import LesionScreen
from methods.intervention.pairwise_silencing import PairwiseSilencing
from methods.intervention.pruning import Pruning
from methods.intervention.shapley_exact import ShapleyExact
from methods.intervention.shapley_sampling import ShapleySampling
from methods.intervention.silencing_screen import SilencingScreen
from methods.intervention.stimulation_screen import StimulationScreen
from methods.intervention.subspace_patching import SubspacePatching
from methods.roles.decoder_weights import DecoderWeights
from methods.roles.outcome_correlation import OutcomeCorrelation
from methods.roles.stimulus_tuning import StimulusTuning
from simlab.claims import Claim, Measured, mean, oracle_recovers, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal

if TYPE_CHECKING:
    import pandas as pd

BUDGETS = (Plan(300, 0.5), Plan(1500, 0.5), Plan(6000, 0.5))
MOST = BUDGETS[-1].trials
EACH = 0.5
ACTIVE = (
    SilencingScreen(duration=EACH, trials_each=500),
    LesionScreen(duration=EACH, trials_each=500),
    StimulationScreen(duration=EACH),
    PairwiseSilencing(duration=EACH),
    ShapleyExact(duration=EACH),
    ShapleySampling(duration=EACH),
)
PASSIVE = (OutcomeCorrelation(), DecoderWeights(), StimulusTuning())

ROLES = Grid(
    circuits=(Redundant(), Gated()),
    rivals=(SinglePath(), Ungated()),
    plans=BUDGETS,
    instruments=(Perfect(),),
    methods=(*ACTIVE, *PASSIVE),
    stimulators=(Ideal(),),
    drawn=True,
)
ILLUSIONS = Grid(
    circuits=(Compensating(), OffTarget(), TwoPathways(), Elsewhere()),
    plans=BUDGETS,
    instruments=(Perfect(),),
    methods=(*ACTIVE, *PASSIVE),
    stimulators=(Ideal(),),
    drawn=True,
)
PATCHES = Grid(
    circuits=(DormantPath(),),
    rivals=(DirectPath(),),
    plans=(Plan(600, 0.5), Plan(3000, 0.5)),
    instruments=(Perfect(),),
    methods=(ActivationPatching(duration=EACH), SubspacePatching(duration=EACH), Pruning(duration=EACH)),
    stimulators=(Ideal(),),
)


def recovery(method: str, circuit: str, trials: int = MOST) -> Callable[[pd.DataFrame], Measured]:
    """A measure: how often a method recovers the roles of a circuit's areas."""

    def measure(table: pd.DataFrame) -> Measured:
        return rate(table, "recovered", method=method, circuit=circuit, trials=trials)

    return measure


def average(column: str, method: str, circuit: str, trials: int = MOST) -> Callable[[pd.DataFrame], Measured]:
    """A measure: the mean of a metric."""

    def measure(table: pd.DataFrame) -> Measured:
        return mean(table, column, method=method, circuit=circuit, trials=trials)

    return measure


OTCHY = "Otchy et al. 2015, Nature 528:358"
CLAIMS = (
    Claim(
        "single_silencing_misses_redundancy",
        "Silenced one at a time, redundant areas cost nothing: the screen misses them.",
        "theorem where areas do not lapse (single lesions 0, 0, 1, 0; Shapley 1/6, 1/6, 2/3, 0); here with lapses",
        average("recall", "silencing_screen", "redundant", 300), (0.0, 0.6),
    ),
    Claim(
        "all_sets_find_redundancy",
        "Silencing sets of areas finds them.",
        "Keinan et al. 2004, Neural Comput 16:1887",
        recovery("shapley_exact", "redundant"), (0.8, 1.0),
    ),
    Claim(
        "acute_silencing_credits_what_only_permits",
        "Acute silencing calls the permissive area needed, and so is wrong about the roles.",
        OTCHY, recovery("silencing_screen", "off_target"), (0.0, 0.2),
    ),
    Claim(
        "chronic_loss_tells_what_only_permits",
        "Permanent lesions, after recovery, do not credit it.",
        OTCHY, average("false_share", "lesion_screen", "off_target"), (0.0, 0.1),
    ),
    Claim(
        "chronic_loss_misses_what_is_replaced",
        "Permanent lesions miss areas that another one replaces.",
        "Newsome & Pare 1988, J Neurosci 8:2201 (recovery after a lesion of MT)",
        recovery("lesion_screen", "compensating"), (0.0, 0.2),
    ),
    Claim(
        "acute_silencing_finds_what_is_replaced",
        "Acute silencing finds them.",
        "Newsome & Pare 1988, J Neurosci 8:2201", recovery("silencing_screen", "compensating"), (0.8, 1.0),
    ),
    Claim(
        "correlates_are_taken_for_causes",
        "Where the behaviour is made elsewhere, correlation with its outcome calls recorded areas needed.",
        "simlab: the areas lapse together with the body",
        average("any_discovery", "outcome_correlation", "elsewhere"), (0.8, 1.0),
    ),
    Claim(
        "silencing_finds_nothing_elsewhere",
        "Silencing does not: at a false discovery rate of 5% it is wrong in one animal of ten at most.",
        "by the method's own promise", average("any_discovery", "silencing_screen", "elsewhere"), (0.0, 0.1),
    ),
    Claim(
        "a_patch_works_through_a_dormant_path",
        "A patch along a direction works through units of which neither is on the path: what it names is mostly false.",
        "Makelov, Lange & Nanda 2023, arXiv 2311.17030",
        average("exact", "subspace_patching", "dormant_path", 3000), (0.0, 0.2),
    ),
    Claim(
        "patches_of_units_find_the_path",
        "Patched unit by unit, the true path is found.",
        "Makelov, Lange & Nanda 2023, arXiv 2311.17030",
        average("exact", "activation_patching", "dormant_path", 3000), (0.8, 1.0),
    ),
    oracle_recovers("circuit"),
)  # fmt: skip

LOCALISATION_ILLUSIONS = Experiment(
    name="localisation_illusions",
    asks=(
        "Which parts does a behaviour need? Areas that replace one another, that take over after a loss, that only "
        "permit, that only follow: what do acute silencing, permanent lesions, stimulation, sets of lesions, patches "
        "and mere correlation say of them, at three budgets?"
    ),
    grids=(ROLES, ILLUSIONS, PATCHES),
    claims=CLAIMS,
    subjects=20,
    time_limit=120.0,
)
