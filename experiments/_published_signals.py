"""Published results about wiring inferred from signals: textbook rates, a chain of oscillators, regions of a brain.

A part of `published_connectivity`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from circuits.networks.bold_nodes import BoldNodes
from circuits.networks.coupled_rates import CoupledRates
from circuits.networks.shared_input_nodes import SharedInputNodes
from circuits.networks.var_chain import VARChain
from methods.pipelines.decimation import Decimation
from methods.pipelines.pipeline import Pipeline
from methods.wiring.granger_causality import GrangerCausality
from methods.wiring.graphical_lasso import GraphicalLasso
from methods.wiring.lagged_correlation import LaggedCorrelation
from methods.wiring.partial_correlation import PartialCorrelation
from methods.wiring.patel_tau import PatelTau
from methods.wiring.spike_count_correlation import SpikeCountCorrelation
from methods.wiring.state_space_regression import StateSpaceRegression
from simlab.claims import Answer, Claim, Measured, chosen, mean, paired_difference, paired_ratio, with_answers
from simlab.experiment import Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.bold import Bold
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample

if TYPE_CHECKING:
    import pandas as pd

# 4. Neuromatch Academy W3D5: 5000 steps.
SIZES = (6, 25, 50, 100)
TEXTBOOK = tuple(CoupledRates(n_neurons=size) for size in SIZES)
STEPS = Plan(1, 50.0)
LAGGED, SQUARES = LaggedCorrelation(), LaggedCorrelation(least_squares=True)
RATES = Grid(TEXTBOOK, (STEPS,), (Perfect(),), (LAGGED, SQUARES), baselines=False)
RATES_HIDDEN = Grid((TEXTBOOK[-1],), (STEPS,), (Subsample(n_units=10),), (LAGGED, SQUARES), baselines=False)

# 5. Stokes & Purdon 2017: the chain of three oscillators, and the same chain sampled at half the rate.
GRANGER = GrangerCausality(min_order=20, max_order=20)
"""Of an order that serves the model without the source as well, which has no end of lags."""
SLOWER = Pipeline((Decimation(2),), GRANGER)
CHOSEN, ENDLESS = GrangerCausality(max_order=20), GrangerCausality(min_order=60, max_order=60)
"""Of the order that a criterion chooses for the whole model, which is 2; and of a very high one."""
CHAIN = Grid((VARChain(),), (Plan(10, 50.0),), (Perfect(),), (GRANGER, SLOWER, CHOSEN, ENDLESS), baselines=False)


NEUROMATCH = "Neuromatch Academy 2020, W3D5; re-simulated: .95, .76, .55, .35 for 6, 25, 50, 100 neurons"
STOKES_PURDON = "Stokes & Purdon 2017, PNAS 114:E7063; re-simulated: .88 to .14, and .002 to .31"


def textbook_correlation(table: pd.DataFrame, size: int, method: Any = LAGGED, hidden: bool = False) -> Measured:
    """Correlation of true and lagged-correlation weights in the textbook's network of so many neurons."""
    rows = chosen(table, circuit="coupled_rates", method_label=label(method), n_neurons=size)
    return mean(rows[(rows["n_units"] < rows["n_neurons"]) == hidden], "weight_correlation")


def squares_gain(table: pd.DataFrame) -> Measured:
    """The same of least squares minus that of lagged correlation, 100 neurons, all recorded."""
    labels = ({"method_label": label(method)} for method in (SQUARES, LAGGED))
    return paired_difference(
        table, "weight_correlation", *labels, circuit="coupled_rates", n_neurons=100, instrument="perfect"
    )


def hiding_costs(table: pd.DataFrame) -> Measured:
    """Lagged correlation's with ten of 100 neurons recorded minus with all, in the same subjects."""
    seen = ({"instrument": "subsample"}, {"instrument": "perfect"})
    return paired_difference(
        table, "weight_correlation", *seen, circuit="coupled_rates", n_neurons=100, method_label=label(LAGGED)
    )


def causality(table: pd.DataFrame, answer: Answer, method: Any, pre: int, post: int) -> Measured:
    """Granger causality from one node of the chain to another."""
    return mean(_causalities(table, answer, pre, post), "causality", method_label=label(method))


def spurious_over_true(table: pd.DataFrame, answer: Answer, method: Any) -> Measured:
    """Causality 1 to 3, which is none, minus 1 to 2, which is, in the same recordings."""

    def gap(estimate: Any, truth: Any) -> float:
        first, second, third = _chain(truth["edge"].values)
        return float(estimate["score"][first, third] - estimate["score"][first, second])

    where = {"circuit": "var_chain", "method_label": label(method)}
    return mean(with_answers(table, answer, "gap", gap, **where), "gap")


def order_bias(table: pd.DataFrame, answer: Answer) -> Measured:
    """Causality 1 to 2 at the order that a criterion chooses minus at a sufficient one, in the same recordings."""
    labels = ({"method_label": label(method)} for method in (CHOSEN, GRANGER))
    return paired_difference(_causalities(table, answer, 0, 1), "causality", *labels)


def null_growth(table: pd.DataFrame, answer: Answer) -> Measured:
    """Causality 3 to 1, which is none, at order 60 over that at order 20, in the same recordings."""
    labels = ({"method_label": label(method)} for method in (ENDLESS, GRANGER))
    return paired_ratio(_causalities(table, answer, 2, 0), "causality", *labels)


def _causalities(table: pd.DataFrame, answer: Answer, pre: int, post: int) -> pd.DataFrame:
    """The cells of the chain with the `causality` that they found from one of its nodes to another."""

    def score(estimate: Any, truth: Any) -> float:
        nodes = _chain(truth["edge"].values)
        return float(estimate["score"][nodes[pre], nodes[post]])

    return with_answers(table, answer, "causality", score, circuit="var_chain")


def _chain(edge: np.ndarray) -> tuple[int, int, int]:
    """The units of nodes 1, 2 and 3, which a blind recording renumbers: who drives, who passes on, who is driven."""
    first = int(np.flatnonzero(edge.any(axis=1) & ~edge.any(axis=0))[0])
    second = int(np.flatnonzero(edge[first])[0])
    return first, second, int(np.flatnonzero(edge[second])[0])


TEXTBOOK_CLAIMS = (
    *(
        Claim(
            f"lagged_correlation_of_{size}",
            f"In the textbook's network of {size} neurons lagged correlation correlates with the weights as published.",
            NEUROMATCH,
            partial(textbook_correlation, size=size),
            (expected - 0.1, min(1.0, expected + 0.1)),
        )
        for size, expected in zip(SIZES, (0.95, 0.76, 0.55, 0.35), strict=True)
    ),
    Claim(
        "least_squares_is_no_better",
        "Least squares over all units is no better than one lagged correlation at a time (100 neurons).",
        NEUROMATCH,
        squares_gain,
        (-0.05, 0.05),
    ),
    Claim(
        "hiding_changes_nothing",
        "With nine of ten neurons hidden lagged correlation is as good: short of data, not confounded.",
        NEUROMATCH,
        hiding_costs,
        (-0.1, 0.1),
    ),
)

CHAIN_CLAIMS = (
    Claim(
        "true_causality_at_full_rate",
        "Sampled at 120 Hz node 1 causes node 2 with a causality near .88.",
        STOKES_PURDON,
        partial(causality, method=GRANGER, pre=0, post=1),
        (0.7, 1.05),
        answers=True,
    ),
    Claim(
        "spurious_causality_at_half_the_rate",
        "Sampled at 60 Hz a causality from node 1 to node 3 appears, where there is none, that exceeds the true one "
        "from 1 to 2.",
        STOKES_PURDON,
        partial(spurious_over_true, method=SLOWER),
        (0.0, 1.0),
        answers=True,
    ),
    Claim(
        "no_spurious_causality_at_full_rate",
        "At 120 Hz it does not: the difference is as large the other way.",
        STOKES_PURDON,
        partial(spurious_over_true, method=GRANGER),
        (-1.05, -0.7),
        answers=True,
    ),
    Claim(
        "a_short_order_overstates",
        "At the order that a criterion chooses for the whole model the model without the source is too short, and "
        "causality comes out larger.",
        "Stokes & Purdon 2017, PNAS 114:E7063: separate fits of the full and the reduced model are biased",
        order_bias,
        (0.05, 1.0),
        answers=True,
    ),
    Claim(
        "null_causality_grows_with_order",
        "Causality that is none grows with the order of the model: at 60 it is at least twice that at 20.",
        "Stokes & Purdon 2017, PNAS 114:E7063; analytic: the expected log ratio is order / samples",
        null_growth,
        (2.0, 10.0),
        answers=True,
    ),
)

# 6. Smith et al. 2011, NetSim: five regions seen by their blood, every three seconds.
NODES, SCAN, MIXED = BoldNodes(), Bold(), Bold(mixing=0.2)
TEN, FIFTY = Plan(1, 600.0), Plan(1, 3000.0)
INSTANT = (SpikeCountCorrelation(), PartialCorrelation(), GraphicalLasso())
LAGS = (GrangerCausality(), LaggedCorrelation(least_squares=True), StateSpaceRegression(), PatelTau())
NETSIM = Grid((NODES,), (TEN, FIFTY), (SCAN, MIXED), (*INSTANT, *LAGS), rivals=(SharedInputNodes(),), baselines=False)
SMITH = "Smith et al. 2011, NeuroImage 54:875"
NODES_CELLS: dict[str, Any] = {"role": "circuit", "circuit": "bold_nodes"}


def whether(table: pd.DataFrame, method: str) -> Measured:
    """AUROC over unordered pairs of regions, ten minutes."""
    rows = chosen(table, method=method, instrument_label=label(SCAN), duration=TEN.duration, **NODES_CELLS)
    return mean(rows, "pair_auroc")


def lag_cost(table: pd.DataFrame, minutes: int) -> Measured:
    """Partial correlation's AUROC over unordered pairs minus that of Granger causality, in the same recordings."""
    methods = ({"method": name} for name in ("partial_correlation", "granger_causality"))
    where = NODES_CELLS | {"instrument_label": label(SCAN), "duration": 60.0 * minutes}
    return paired_difference(table, "pair_auroc", *methods, **where)


def direction(table: pd.DataFrame, method: str) -> Measured:
    """Share of the connections that score higher the right way round, fifty minutes; chance is one half."""
    rows = chosen(table, method=method, instrument_label=label(SCAN), duration=FIFTY.duration, **NODES_CELLS)
    return mean(rows, "direction_accuracy")


def mixing_cost(table: pd.DataFrame) -> Measured:
    """What a fifth of a neighbour in each region costs partial correlation, in the same subjects."""
    seen = ({"instrument_label": label(scan)} for scan in (SCAN, MIXED))
    where = NODES_CELLS | {"method": "partial_correlation", "duration": TEN.duration}
    return paired_difference(table, "pair_auroc", *seen, **where)


NETSIM_CLAIMS = (
    *(
        Claim(
            f"{name}_finds_who_among_regions",
            f"Ten minutes of haemodynamics show {name} which regions are connected, if not which way.",
            f"{SMITH} (the band is ours: the paper states sensitivities)",
            partial(whether, method=name),
            (0.85, 1.0),
        )
        for name in ("spike_count_correlation", "partial_correlation")
    ),
    *(
        Claim(
            f"lags_are_poor_in_{minutes}_minutes",
            f"In {minutes} minutes, at a volume every 3 s, Granger causality finds far fewer than partial correlation.",
            f"{SMITH} (the band is ours)",
            partial(lag_cost, minutes=minutes),
            (0.1, 0.5),
        )
        for minutes in (10, 50)
    ),
    *(
        Claim(
            f"{name}_knows_no_direction",
            f"Nor does {name} know the direction: it is right in less than two thirds, after fifty minutes.",
            SMITH,
            partial(direction, method=name),
            (0.0, 0.67),
        )
        for name in ("granger_causality", "lagged_correlation")
    ),
    Claim(
        "mixed_regions_damage",
        "Regions that mix in a fifth of a neighbour undo much of what partial correlation finds.",
        f"{SMITH} (the band is ours)",
        mixing_cost,
        (0.1, 0.5),
    ),
)

GRIDS = (RATES, RATES_HIDDEN, CHAIN, NETSIM)
CLAIMS = (*TEXTBOOK_CLAIMS, *CHAIN_CLAIMS, *NETSIM_CLAIMS)
