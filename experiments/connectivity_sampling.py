"""How much must be recorded to find who is connected to whom, and who claims wiring where there is none?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from circuits.networks.balanced_ei import BalancedEI
from circuits.networks.common_drive import CommonDrive
from circuits.networks.independent_poisson import IndependentPoisson
from methods.pipelines.deconvolution import Deconvolution
from methods.pipelines.pipeline import Pipeline
from methods.wiring.coupling_glm import CouplingGLM
from methods.wiring.cross_correlogram import CrossCorrelogram
from methods.wiring.granger_causality import GrangerCausality
from methods.wiring.spike_count_correlation import SpikeCountCorrelation
from methods.wiring.spiking_probability_edges import SpikingProbabilityEdges
from methods.wiring.transfer_entropy import TransferEntropy
from simlab.claims import Claim, Measured, chosen, mean, paired_difference, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.electrodes import Electrodes
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.recording.two_photon import TwoPhoton

if TYPE_CHECKING:
    import pandas as pd

NETWORK, RIVALS = BalancedEI(), (CommonDrive(), IndependentPoisson())
SHORT, MIDDLE, LONG = Plan(60, 1.0), Plan(90, 2.0), Plan(120, 4.0)  # 1, 3 and 8 minutes
AMPLE = Plan(120, 8.0)  # 16 minutes of all neurons
SPIKE_METHODS = (
    SpikeCountCorrelation(),
    CrossCorrelogram(),
    CouplingGLM(),
    TransferEntropy(),
    SpikingProbabilityEdges(),
    GrangerCausality(),
)
DECONVOLVED = tuple(
    Pipeline((Deconvolution(),), method) for method in (SpikeCountCorrelation(), CouplingGLM(), TransferEntropy())
)

AMOUNT = Grid(
    circuits=(NETWORK,),
    rivals=RIVALS,
    plans=(SHORT, MIDDLE, LONG),
    instruments=(Subsample(n_units=20),),
    methods=SPIKE_METHODS,
    ceiling=AMPLE,
    ceiling_subjects=3,
)
UNITS = Grid(
    circuits=(NETWORK,),
    rivals=RIVALS,
    plans=(MIDDLE,),
    instruments=(Subsample(n_units=10), Subsample(n_units=40)),
    methods=SPIKE_METHODS,
)
EVERYTHING = Grid(circuits=(NETWORK,), plans=(SHORT,), instruments=(Perfect(),), methods=SPIKE_METHODS)
SORTED = Grid(
    circuits=(NETWORK,), rivals=RIVALS, plans=(MIDDLE, LONG), instruments=(Electrodes(n_sites=16),),
    methods=SPIKE_METHODS,
)  # fmt: skip
CALCIUM = Grid(
    circuits=(NETWORK,),
    rivals=RIVALS,
    plans=(MIDDLE, LONG),
    instruments=(TwoPhoton(n_units=20),),
    methods=(*SPIKE_METHODS, *DECONVOLVED),
)
HIDDEN = Grid(  # one network, ever fewer of its neurons hidden: those of UNITS and AMOUNT are nested in these
    circuits=(NETWORK,),
    plans=(MIDDLE,),
    instruments=(Subsample(n_units=80),),
    methods=SPIKE_METHODS,
)


SHARED: dict[str, Any] = {"circuit": "common_drive", "instrument_label": "subsample"}
"""Neurons that only share their drive, seen as 20 perfectly sorted units."""
MINUTES = {3: 2.0, 8: 4.0}
"""Minutes recorded -> duration [s] of the plan's trials."""


def misclassified(table: pd.DataFrame, **conditions: Any) -> Measured:
    """Share of all ordered pairs that the coupling GLM puts in the wrong class, in the chosen cells."""
    rows = chosen(table, method="coupling_glm", **conditions)
    found = rows["recall"] * rows["n_edges"]
    wrong = (rows["n_edges"] - found) + (rows["decided_density"] * rows["n_pairs"] - found)
    return mean(rows.assign(misclassified=wrong / rows["n_pairs"]), "misclassified")


def fooled_correlation(table: pd.DataFrame, minutes: int) -> Measured:
    """How often spike-count correlation claims wiring in a population that only shares its drive."""
    rows = chosen(table, method="spike_count_correlation", duration=MINUTES[minutes], **SHARED)
    return rate(rows, "false_recovery")


def glm_against_correlation(table: pd.DataFrame, minutes: int) -> Measured:
    """False recovery of the coupling GLM minus that of the correlation, in the same recordings."""
    glm, correlation = {"method": "coupling_glm"}, {"method": "spike_count_correlation"}
    return paired_difference(table, "false_recovery", glm, correlation, duration=MINUTES[minutes], **SHARED)


def fooled_by_independence(table: pd.DataFrame, instrument: str) -> Measured:
    """False recovery of all methods together where units are independent: Poisson neurons, through an instrument."""
    return rate(table, "false_recovery", circuit="independent_poisson", kind="passive", instrument=instrument)


def more_data(table: pd.DataFrame) -> Measured:
    """AUROC of the coupling GLM at 8 minutes minus at 1 minute, 20 units, in the same subjects."""
    cells = {"method": "coupling_glm", "instrument_label": "subsample", "circuit_label": "balanced_ei"}
    return paired_difference(table, "auroc", {"duration": 4.0}, {"duration": 1.0}, role="circuit", **cells)


def calcium_cost(table: pd.DataFrame) -> Measured:
    """AUROC of the coupling GLM on spikes minus behind deconvolution, 20 units, 8 minutes, in the same subjects."""
    spikes = {"method": "coupling_glm", "instrument_label": "subsample"}
    calcium = {"method_label": label(DECONVOLVED[1]), "instrument": "two_photon"}
    return paired_difference(table, "auroc", spikes, calcium, role="circuit", circuit_label="balanced_ei", duration=4.0)


def random_answers(table: pd.DataFrame) -> Measured:
    """How often random wiring counts as a recovery."""
    rows = chosen(table, method="baseline:random", role="circuit", circuit_label="balanced_ei")
    return rate(rows, "recovered")


def oracle(table: pd.DataFrame) -> Measured:
    """How often the projected truth counts as a recovery."""
    return rate(table, "recovered", method="baseline:oracle", role=("circuit", "ceiling"))


# Measured in part on the mended `balanced_ei` (2 subjects; docs/connectivity.md): the GLM is fooled by shared drive as
# often as correlation is, in 3 and in 8 minutes: `glm_is_fooled_less` may well fail. Its band is left alone.
CLAIMS = (
    Claim(
        "full_population_glm",
        "A coupling GLM of a fully observed balanced network misclassifies fewer than 1% of pairs.",
        "Zaytsev, Morrison & Deger 2015, J Comput Neurosci 39:77 (1000 neurons, ideal conditions)",
        partial(misclassified, role="ceiling"),
        (0.0, 0.01),
    ),
    *(
        Claim(
            f"correlation_is_fooled_in_{minutes}_minutes",
            f"In {minutes} minutes spike-count correlation claims wiring in most recordings of neurons that only share "
            "their drive.",
            "textbook (common input); de la Rocha et al. 2007, Nature 448:802: shared input correlates unconnected "
            "neurons",
            partial(fooled_correlation, minutes=minutes),
            (0.5, 1.0),
        )
        for minutes in MINUTES
    ),
    *(
        Claim(
            f"glm_is_fooled_less_in_{minutes}_minutes",
            f"In {minutes} minutes the coupling GLM claims wiring under shared drive less often than correlation does.",
            "Pillow et al. 2008, Nature 454:995: a model of the whole population explains correlations away",
            partial(glm_against_correlation, minutes=minutes),
            (-1.0, -0.05),
        )
        for minutes in MINUTES
    ),
    Claim(
        "independence_fools_nobody",
        "Where units are independent, methods that control the false discovery rate at 5% seldom claim wiring.",
        "analytic: with no true edge, the false discovery rate is the chance of any discovery at all",
        partial(fooled_by_independence, instrument="subsample"),
        (0.0, 0.05),
    ),
    *(
        Claim(
            f"nor_do_independent_neurons_through_{instrument}",
            f"The same holds when independent neurons are recorded {how}.",
            "usual practice: sorting errors and neuropil are not modelled by the tests that are applied to the units",
            partial(fooled_by_independence, instrument=instrument),
            (0.0, 0.05),
        )
        for instrument, how in (("electrodes", "with electrodes"), ("two_photon", "by two-photon imaging"))
    ),
    Claim(
        "more_data_helps",
        "Eight times the data raise the GLM's AUROC.",
        "analytic: maximum likelihood is consistent, whatever is hidden that does not correlate the recorded",
        more_data,
        (0.05, 0.5),
    ),
    Claim(
        "calcium_costs",
        "Behind two-photon imaging and deconvolution the same model finds less than on spikes.",
        "Lutcke et al. 2013, Front Neural Circuits 7:201; Wei et al. 2020, PLoS Comput Biol 16:e1008198",
        calcium_cost,
        (0.05, 0.5),
    ),
    Claim(
        "random_wiring_fails",
        "Random wiring of the right density counts as a recovery at most once in 20.",
        "analytic: its MCC has mean 0 and a standard deviation of about 1/sqrt(pairs)",
        random_answers,
        (0.0, 0.05),
    ),
    Claim(
        "oracle_recovers",
        "The projected truth, given as an answer, counts as a recovery every time.",
        "by construction: criterion and projection agree",
        oracle,
        (1.0, 1.0),
        invariant=True,
    ),
)

CONNECTIVITY_SAMPLING = Experiment(
    name="connectivity_sampling",
    asks=(
        "Six standard analyses estimate who is connected to whom in a balanced network of 100 neurons. How does their "
        "recovery grow with the number of recorded units and the minutes recorded, what do hidden neurons, spike "
        "sorting and calcium imaging cost, and how often do they claim wiring in populations that have none: neurons "
        "that share a fluctuating drive, and independent Poisson neurons?"
    ),
    grids=(AMOUNT, UNITS, EVERYTHING, SORTED, CALCIUM, HIDDEN),
    claims=CLAIMS,
    subjects=20,
    time_limit=900.0,
)
