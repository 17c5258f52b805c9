"""What neurons that the circuit does not simulate do to an image, against simulations of every one of them."""

import numpy as np
import pytest
from instrument_bench import poisson_activity, tissue

from simlab.data import anatomy
from simlab.instruments.placement import positions
from simlab.instruments.recording.calcium import Frames, mixed
from simlab.instruments.recording.indicators import INDICATORS
from simlab.instruments.recording.two_photon import TwoPhoton
from simlab.instruments.recording.unseen_cells import SOMA, neuropil_of, overlap, unresolved_around

RNG = np.random.default_rng
CORTEX = 9e13
GCAMP = INDICATORS["gcamp6f"]


def test_the_neuropil_of_unseen_cells_is_that_of_thousands_of_simulated_ones():
    density, radius, rate = 1e14, 16e-6, 1.0
    units = np.array([[0, 0, 0], [12e-6, 0, 0], [60e-6, 0, 0]])
    box = np.array([155, 95, 95]) * 1e-6
    cells = np.array([30e-6, 0, 0]) + RNG(0).uniform(-0.5, 0.5, (round(density * box.prod()), 3)) * box
    frames = Frames(10.0, 1, 25.0)
    n_spikes = RNG(1).poisson(rate * frames.duration, len(cells))
    cell, when = np.repeat(range(len(cells)), n_spikes), RNG(2).uniform(0, 25, n_spikes.sum())
    weight = np.exp(-((units[:, None] - cells[None]) ** 2).sum(axis=2) / (2 * radius**2))
    weight /= density * (2 * np.pi) ** 1.5 * radius**3
    simulated = mixed((np.zeros(len(cell), int), when, cell), weight, GCAMP, frames)[0]
    around = neuropil_of(units, np.arange(3), radius, density, correlation=0.0)
    np.testing.assert_allclose(around.share, 1.0, atol=0.12)  # the three units themselves are part of the tissue
    drawn = around.fluorescence(GCAMP, Frames(10.0, 10, 60.0), rate, RNG(3)).reshape(-1, 3)
    # The weights are those of some 18 cells, in one tissue: their sum is known to 23%, their mean over units to 16%.
    assert drawn.mean() == pytest.approx(simulated.mean(), rel=0.3)
    # 25 s hold some 60 independent samples of a transient: a deviation is known to 9%, and to 12% by the cells.
    np.testing.assert_allclose(drawn.std(axis=0), simulated.std(axis=0), rtol=0.3)
    found, expected = (np.corrcoef(traces.T)[0, 1:] for traces in (drawn, simulated))
    np.testing.assert_allclose(found, expected, atol=0.2)
    assert found[0] == pytest.approx(np.exp(-(12**2) / (4 * 16**2)), abs=0.1)


def test_what_unseen_cells_share_is_seen_by_all_units():
    around = neuropil_of(positions(tissue(40)), np.arange(40), 50e-6, CORTEX, 0.05)
    drawn = around.fluorescence(GCAMP, Frames(10.0, 5, 60.0), 1.0, RNG(3)).reshape(-1, 40)
    correlation = np.corrcoef(drawn.T)
    # .05 in common against .95 / 500 cells' worth that each sees of its own
    assert correlation.min() > 0.9


def test_unresolved_cells_keep_their_distance_and_come_at_the_density_of_the_tissue():
    cells = unresolved_around(4000, 6e-6, CORTEX, 1.0, RNG(0))
    # A cylinder of 12 um radius and 36 um height, less the sphere of 12 um in which no other soma can lie.
    expected = CORTEX * (np.pi * (2 * SOMA) ** 2 * 36e-6 - 4 / 3 * np.pi * (2 * SOMA) ** 3)
    assert len(cells.unit) / 4000 == pytest.approx(expected, rel=0.06)  # four standard errors of a Poisson number
    assert cells.rate.mean() == pytest.approx(1.0, rel=0.15)
    # At 12 um above each other a soma adds exp(-2) of itself: the most that there is.
    assert cells.weight.max() < np.exp(-2) + 0.02
    assert 0.005 < cells.totals().mean() < 0.05


def test_overlap_of_discs_is_what_random_points_say():
    points = RNG(0).uniform(-1, 1, (40_000, 2))
    disc = points[(points**2).sum(axis=1) < 1]
    for distance in (0.0, 0.3, 0.7, 1.0):
        both = ((disc - [2 * distance, 0]) ** 2).sum(axis=1) < 1
        assert overlap(np.array(distance)) == pytest.approx(both.mean(), abs=0.012)


def test_at_real_density_neighbours_of_the_circuit_are_a_small_part_of_the_neuropil():
    place, seen = tissue(60, side=300e-6), poisson_activity(60, trials=2)
    sparse, dense = (TwoPhoton(neuropil=0.5, tissue_density=d).implant(place, RNG(0)) for d in (None, CORTEX))
    own = [implant.key.values.max(axis=1).mean() for implant in (sparse, dense)]
    others = [(implant.key.sum("neuron").values - implant.key.values.max(axis=1)).mean() for implant in (sparse, dense)]
    np.testing.assert_allclose(sparse.key.sum("neuron"), 1.0)
    assert others[0] == pytest.approx(1 / 3)
    assert others[1] < 0.03
    assert 0.55 < own[1] < own[0]
    signal = dense.record(seen, RNG(1))["signal"].values
    assert signal.shape == (2, 300, 60)
    assert np.isfinite(signal).all()


def test_a_lone_neuron_in_real_tissue_has_all_of_its_neuropil_from_others():
    alone = TwoPhoton(neuropil=0.5, tissue_density=CORTEX).implant(anatomy(np.zeros((1, 3)), ["E"]), RNG(0))
    np.testing.assert_allclose(alone.key.values, 1 / (1.5 + alone.unresolved.totals().sum()))
