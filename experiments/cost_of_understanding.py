"""How many interventions does it take to find a circuit? Search against the number of parts and their redundancy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from circuits.causal.gated import Gated
from circuits.causal.logic_tree import LogicTree
from circuits.causal.redundant import Redundant
from methods.intervention.exhaustive_search import ExhaustiveSearch
from methods.intervention.greedy_search import GreedySearch
from methods.intervention.group_testing import GroupTesting
from methods.intervention.pruning import Pruning
from methods.intervention.sufficiency_test import SufficiencyTest
from simlab.claims import Claim, Measured, chosen, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal

if TYPE_CHECKING:
    import pandas as pd

EACH = 0.25
"""Of a trial [s]: fifty steps from area to area."""

SEARCHES = (
    ExhaustiveSearch(duration=EACH),
    GreedySearch(duration=EACH),
    Pruning(duration=EACH),
    GroupTesting(duration=EACH),
    SufficiencyTest(duration=EACH),
)
SERIES = tuple(Gated(parts=n, bystanders=1, lapse=0.0) for n in (1, 2, 4, 6))
"""All parts are needed, and only all of them: whoever looks among smaller sets looks in vain."""

PARALLEL = tuple(Redundant(copies=n, bystanders=1, lapse=0.0) for n in (1, 3, 5, 7))
TREES = tuple(LogicTree(inputs=n, redundancy=r) for n in (3, 4, 5) for r in (0.0, 0.5))
AMPLE = Plan(90_000, EACH)

COST = Grid(
    circuits=(*SERIES, *PARALLEL),
    plans=(AMPLE,),
    instruments=(Perfect(),),
    methods=SEARCHES,
    stimulators=(Ideal(),),
    baselines=False,
)
BUDGET = Grid(
    circuits=TREES,
    plans=(Plan(1_000, EACH), Plan(5_000, EACH), Plan(25_000, EACH)),
    instruments=(Perfect(),),
    methods=SEARCHES,
    stimulators=(Ideal(),),
    baselines=False,
)


def growth(method: str, circuit: str, scale: Callable[[np.ndarray], np.ndarray]) -> Callable[[pd.DataFrame], Measured]:
    """A measure: the slope of log2(interventions) on a scale of the number of units, least squares over subjects."""

    def measure(table: pd.DataFrame) -> Measured:
        rows = chosen(table, method=method, circuit=circuit, trials=AMPLE.trials, status="ok")
        rows = rows[rows["abstained"].astype(float) == 0] if "abstained" in rows else rows
        x, y = scale(rows["n_units"].to_numpy(float)), np.log2(rows["spent_interventions"].to_numpy(float))
        subject = rows["subject"].to_numpy()

        def slope(index: np.ndarray) -> float:
            return float(np.polyfit(x[index], y[index], 1)[0])

        low, high = _over_subjects(slope, subject)
        return Measured(slope(np.arange(len(x))), low, high, len(x))

    return measure


def _over_subjects(figure: Callable[[np.ndarray], float], subject: np.ndarray) -> tuple[float, float]:
    """A 95% interval of a figure of rows (index), by drawing subjects with replacement."""
    each = [np.flatnonzero(subject == one) for one in np.unique(subject)]
    if len(each) < 3:
        return float("nan"), float("nan")
    rng = np.random.default_rng(0)
    drawn = [figure(np.concatenate([each[i] for i in rng.integers(len(each), size=len(each))])) for _ in range(1000)]
    return tuple(np.quantile(drawn, [0.025, 0.975]).tolist())  # type: ignore[return-value]


LARGE = tuple(label(tree) for tree in TREES if tree.inputs == 5)


def exhausted(table: pd.DataFrame) -> Measured:
    """How often exhaustive search of trees of five inputs ends without an answer on the smallest budget."""
    return rate(table, "abstained", circuit_label=LARGE, trials=1_000, method="exhaustive_search")


def adaptive(table: pd.DataFrame) -> Measured:
    """How often pruning finds the circuit of the same trees on the same budget."""
    return rate(table, "recovered", circuit_label=LARGE, trials=1_000, method="pruning")


def trees_without_copies(table: pd.DataFrame) -> Measured:
    """Recovery by group testing of trees without copies, the largest budget."""
    alone = tuple(label(tree) for tree in TREES if not tree.redundancy)
    return rate(table, "recovered", circuit_label=alone, trials=25_000, method="group_testing")


CLAIMS = (
    Claim(
        "exhaustive_search_grows_exponentially",
        "Where all parts are needed, the interventions of exhaustive search double with every part: the slope of log2 "
        "of their number is one per unit.",
        "analytic: sets of n parts are 2^n, and all smaller ones are tried before the right one",
        growth("exhaustive_search", "gated", lambda n: n), (0.9, 1.1),
    ),
    Claim(
        "pruning_grows_linearly",
        "Those of pruning grow in proportion to the number of units: the slope in log-log is one.",
        "analytic: n + 1 interventions", growth("pruning", "gated", np.log2), (0.8, 1.2),
    ),
    Claim(
        "redundancy_makes_exhaustive_search_cheap",
        "Where any one of many copies will do, small sets suffice and exhaustive search is polynomial: less than half "
        "a doubling per unit.",
        "analytic: the sets up to the size of the smallest circuit are tried",
        growth("exhaustive_search", "redundant", lambda n: n), (0.0, 0.6),
    ),
    Claim(
        "exhaustive_search_runs_out",
        "On a budget of 1,000 trials exhaustive search of trees of five inputs ends without an answer in most animals.",
        "Adolfi et al. 2024, arXiv 2410.08025, for the worst case",
        exhausted, (0.5, 1.0),
    ),
    Claim(
        "adaptive_search_does_not",
        "Pruning finds the circuit of most of the same trees on that budget.",
        "Conmy et al. 2023, NeurIPS",
        adaptive, (0.5, 1.0),
    ),
    Claim(
        "group_testing_finds_trees",
        "With 25,000 trials group testing finds the circuit of most trees without copies.",
        "group testing finds k of n by about k log2(n/k) tests (Du & Hwang 2000)",
        trees_without_copies, (0.5, 1.0),
    ),
)  # fmt: skip

COST_OF_UNDERSTANDING = Experiment(
    name="cost_of_understanding",
    asks=(
        "A circuit is a smallest set of parts that does the behaviour by itself. How many interventions does it take "
        "to find one, as parts are added in series and in parallel, by trying all sets, by adding or removing one part "
        "at a time, and by halving? And what is found when trials are few?"
    ),
    grids=(COST, BUDGET),
    claims=CLAIMS,
    subjects=20,
    time_limit=120.0,
)
