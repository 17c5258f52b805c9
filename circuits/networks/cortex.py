"""What recordings from cortex look like, and draws from what has been measured there."""

from __future__ import annotations

import numpy as np

from simlab.contracts import Regime
from simlab.rules import require

CORTEX = Regime(
    source="mean rates 0.1 to 20 Hz, half of the neurons silent at most: Hromadka et al. 2008, Barth & Poulet 2012, "
    "Buzsaki & Mizuseki 2014; CV: Softky & Koch 1993, Maimon & Assad 2009; Fano factor: Churchland et al. 2010, Goris "
    "et al. 2014; correlation: Ecker et al. 2010, Renart et al. 2010 (near 0), Cohen & Kohn 2011 (0.05 to 0.3)",
    rate=(0.1, 20.0),
    silent=(0.0, 0.5),
    interval_cv=(0.6, 1.4),
    fano=(0.4, 3.0),
    correlation=(-0.02, 0.3),
)
"""Spontaneous activity, counts in 100 ms. References: Hromadka, DeWeese & Zador 2008, PLoS Biol 6:e16; Barth & Poulet
2012, Trends Neurosci 35:345; Buzsaki & Mizuseki 2014, Nat Rev Neurosci 15:264; Softky & Koch 1993, J Neurosci 13:334;
Maimon & Assad 2009, Neuron 62:426; Churchland et al. 2010, Nat Neurosci 13:369; Goris, Movshon & Simoncelli 2014, Nat
Neurosci 17:858; Ecker et al. 2010, Science 327:584; Renart et al. 2010, Science 327:587; Cohen & Kohn 2011, Nat
Neurosci 14:811."""

DENSITY = 9e13
"""Neurons per m3: 9e4 per mm3 in mouse cortex (Schuez & Palm 1989, J Comp Neurol 286:442)."""


def check_potentials(rest: float, reset: float, threshold: float) -> None:
    """Raises SimlabError unless a neuron that has fired starts below the threshold."""
    require(
        reset < threshold and rest < threshold,
        f"rest and reset must lie below threshold, got rest={rest}, reset={reset}, "
        f"threshold={threshold}: give potentials in volts",
    )


def cell_types(n_neurons: int, excitatory_fraction: float) -> np.ndarray:
    """(neuron,) "E" or "I", the excitatory ones first."""
    n_excitatory = round(excitatory_fraction * n_neurons)
    return np.array(["E"] * n_excitatory + ["I"] * (n_neurons - n_excitatory), dtype=object)


def edge_of(n_neurons: int, density: float) -> float:
    """Edge [m] of the cube that holds so many neurons at this density [1/m3]."""
    return float((n_neurons / density) ** (1 / 3))


def evenly(rng: np.random.Generator, low: float, high: float) -> float:
    """A draw between two values."""
    return float(rng.uniform(low, high))


def by_ratio(rng: np.random.Generator, low: float, high: float) -> float:
    """A draw between two values, as likely from each octave."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def lognormal(rng: np.random.Generator, mean: float, spread: float, shape: tuple[int, ...]) -> np.ndarray:
    """Sizes of this mean whose logarithms have the standard deviation `spread`."""
    return mean * np.exp(spread * rng.standard_normal(shape) - spread**2 / 2)


def charge(membrane: float, synaptic: float) -> float:
    """Jump of the potential with the same integral, over the peak of the potential that a synapse makes.

    tau dv/dt = -v + I, tau_s dI/dt = -I peaks at (tau/tau_s)^(-tau_s/(tau - tau_s)) of that jump; 1 for tau_s = 0.
    """
    if synaptic == 0:
        return 1.0
    ratio = membrane / synaptic
    return float(np.e if abs(ratio - 1) < 1e-6 else ratio ** (1 / (ratio - 1)))
