"""A ring of synapses with an input of two dimensions: a torus awake, a ring asleep."""

import numpy as np
import pytest

from circuits.space.grid_sheet import phases
from circuits.space.ring_aligned_grid import RingAlignedGrid
from simlab.simulators.rates import fixed_point
from simlab.streams import stream

CIRCUIT = RingAlignedGrid()


def persistent(states):
    """How many loops and voids of noise-free states (state, neuron) outlast 40% of the longest."""
    gudhi = pytest.importorskip("gudhi.sklearn")
    bars = gudhi.RipsPersistence([1, 2], homology_coeff_field=3).fit_transform([states])[0]
    lives = [b[:, 1] - b[:, 0] for b in bars]
    longest = max(lives[0].max(initial=0), 1e-12)
    return tuple(int((life > 0.3 * longest).sum()) for life in lives)


def told(circuit):
    subject = circuit.subject(stream(1, "subject"))
    shape = subject.truth("topology", None, stream(1))
    return tuple(int(shape[b]) for b in ("b0", "b1", "b2")), str(
        subject.truth("dynamics", None, stream(1))["label"].values
    )


def test_the_input_makes_a_torus_of_what_the_synapses_make_a_ring():
    assert told(CIRCUIT) == ((1, 2, 1), "ring attractor")
    awake, asleep = (CIRCUIT.states(phases(16), shown) for shown in (True, False))
    assert persistent(awake[np.indices((16, 16)).sum(axis=0).ravel() % 2 == 0]) == (2, 1)
    assert persistent(asleep[::16]) == (1, 0)
    across = asleep.reshape(16, 16, -1)
    assert np.ptp(across, axis=1).max() < 0.01 * asleep.max()  # nothing is left of the second phase


def test_without_input_a_ring_is_all_and_without_ring_a_point():
    assert told(RingAlignedGrid(input_depth=0.0))[0] == (1, 0, 0)  # nobody moves the bump of a ring without input
    assert told(RingAlignedGrid(tuned_weight=1.0)) == ((1, 2, 1), "fixed point")


def test_a_bump_that_is_left_alone_has_one_neutral_direction():
    state = CIRCUIT.states(np.zeros((1, 2)), shown=False)[0]
    first, second = fixed_point(CIRCUIT.network(), state).eigenvalues[:2].real
    assert abs(first) < 1
    assert second < -50


def test_peaks_are_those_of_grid_cells():
    assert 5 < CIRCUIT.states(phases(16), True).max() < 20
