"""Do p-values and false discovery rates hold where units know nothing of one another?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from circuits.networks.balanced_ei import BalancedEI
from circuits.networks.bursting_units import BurstingUnits
from circuits.networks.drifting_units import DriftingUnits
from circuits.networks.independent_poisson import IndependentPoisson
from circuits.networks.irregular_units import IrregularUnits
from methods.wiring.conditional_independence import ConditionalIndependence
from methods.wiring.convergent_cross_mapping import ConvergentCrossMapping
from methods.wiring.coupling_glm import CouplingGLM
from methods.wiring.cross_correlogram import CrossCorrelogram
from methods.wiring.filtered_partial_correlation import FilteredPartialCorrelation
from methods.wiring.generalised_transfer_entropy import GeneralisedTransferEntropy
from methods.wiring.genie3 import Genie3
from methods.wiring.glmcc import GLMCC
from methods.wiring.granger_causality import GrangerCausality
from methods.wiring.graphical_lasso import GraphicalLasso
from methods.wiring.hollow_gaussian_correlogram import HollowGaussianCorrelogram
from methods.wiring.inverse_ising import InverseIsing
from methods.wiring.lagged_correlation import LaggedCorrelation
from methods.wiring.partial_correlation import PartialCorrelation
from methods.wiring.peak_correlogram import PeakCorrelogram
from methods.wiring.point_process_granger import PointProcessGranger
from methods.wiring.spectral_granger import SpectralGranger
from methods.wiring.spike_count_correlation import SpikeCountCorrelation
from methods.wiring.spiking_probability_edges import SpikingProbabilityEdges
from methods.wiring.transfer_entropy import TransferEntropy
from simlab.claims import Claim, Measured, chosen, rate, worst_null
from simlab.contracts import Circuit
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.subsample import Subsample

if TYPE_CHECKING:
    import pandas as pd

LIKE = BalancedEI()
"""The network whose rates the units have: 2 to 20 Hz."""
NULLS: dict[str, Circuit] = {
    "poisson": IndependentPoisson(LIKE),
    "regular": BurstingUnits(LIKE, cv=0.5),
    "bursty": BurstingUnits(LIKE, cv=1.5),
    "irregular": IrregularUnits(LIKE, cv=(2.0, 2.0), fluctuation=0.0),
    "mixed": IrregularUnits(LIKE, cv=(0.5, 2.0), fluctuation=0.0),
    "autocorrelated": IrregularUnits(LIKE, cv=(1.0, 1.0), fluctuation=0.6),
    "drifting": DriftingUnits(LIKE, spread=0.5),
}
"""Units that know nothing of one another; refractory, all of them."""
PLAN = Plan(60, 2.0)
SIZES = (5, 10, 20)
METHODS = (
    SpikeCountCorrelation(),
    PartialCorrelation(),
    GraphicalLasso(),
    FilteredPartialCorrelation(),
    LaggedCorrelation(),
    InverseIsing(),
    CrossCorrelogram(),
    HollowGaussianCorrelogram(),
    PeakCorrelogram(),
    GLMCC(),
    CouplingGLM(),
    CouplingGLM(covariance="sandwich"),
    PointProcessGranger(),
    GrangerCausality(),
    SpectralGranger(),
    TransferEntropy(),
    GeneralisedTransferEntropy(),
    SpikingProbabilityEdges(),
    ConvergentCrossMapping(),
    ConditionalIndependence(),
)
SLOW = (Genie3(),)
"""Methods that take tens of seconds: met by one size alone."""

ALL = Grid(
    circuits=tuple(NULLS.values()),
    plans=(PLAN,),
    instruments=tuple(Subsample(n_units=size) for size in SIZES),
    methods=METHODS,
    baselines=False,
)
FEW = Grid(tuple(NULLS.values()), (PLAN,), (Subsample(n_units=SIZES[0]),), SLOW, baselines=False)


def worst(table: pd.DataFrame, method: str) -> Measured:
    """A method's share of p-values at or below .05 in the world and at the size where it is largest."""
    return worst_null(table, "p_below_05", method_label=method)


def fooled(table: pd.DataFrame, null: str) -> Measured:
    """How often methods with an error rate of 5%, all together, claim wiring among units of one kind."""
    rows = chosen(table, kind="passive", status="ok", circuit_label=label(NULLS[null]))
    return rate(rows, "any_discovery")


CLAIMS = (
    *(
        Claim(
            f"{name}_is_calibrated",
            f"Among units that know nothing of one another at most 7.5% of the p-values of {name} lie at or below .05, "
            "whatever the units' statistics.",
            "by the definition of a p-value; Harris 2020, bioRxiv 2020.11.29.402719: signals that drift break tests "
            "that take samples for independent",
            partial(worst, method=name),
            (0.0, 0.075),
        )
        for name in map(label, (*METHODS, *SLOW))
        if name != "graphical_lasso"  # states none
    ),
    *(
        Claim(
            f"nobody_is_fooled_by_{null}_units",
            f"All methods together claim wiring in at most 7.5% of the recordings of {null} units.",
            "analytic: with no true edge, the false discovery rate is the chance of any discovery at all",
            partial(fooled, null=null),
            (0.0, 0.075),
        )
        for null in NULLS
    ),
)

NULL_CERTIFICATE = Experiment(
    name="null_certificate",
    asks=(
        "Every analysis of wiring that states a p-value or a false discovery rate, on units that know nothing of one "
        "another: Poisson, regular, bursty, irregular, mixed, autocorrelated and drifting, 5, 10 and 20 at a time. "
        "Whose error rates are what they say?"
    ),
    grids=(ALL, FEW),
    claims=CLAIMS,
    subjects=20,
    time_limit=600.0,
)
