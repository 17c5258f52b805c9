"""How fast a minute of cells that map a place is, against RatInABox's loop; printed, never asserted.

Run with `pytest -m benchmark -s tests/benchmarks/test_space_benchmark.py`.
"""

from __future__ import annotations

import numpy as np
import pytest
from stopwatch import best_of_rounds, seconds

from circuits.space.feedforward_grid import FeedforwardGrid
from circuits.space.grid_attractor import GridAttractor
from circuits.space.place_cells import PlaceCells
from methods.population.persistent_homology import farthest_points
from methods.topology._clouds import persistence
from simlab.streams import stream

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

LOOP = 4.3
"""s that 60 s of 100 grid or place cells at 10 ms took in RatInABox, step by step, on the machine of issue 10."""


def minute(circuit):
    """A minute of one trial of a circuit, path and spikes included, that has run once before."""
    subject = circuit.subject(stream(1, "subject"))

    def run():
        session = subject.session(trials=1, duration=60.0, rng=stream(1, "session"))
        return subject.run(session, stream(1, "run"))

    assert run().sizes["spike"] > 1000
    return run


def test_print_seconds_of_a_minute_of_a_hundred_cells():
    runs = {c.name: minute(c) for c in (FeedforwardGrid(), PlaceCells(), GridAttractor())}
    found = best_of_rounds(5, {name: lambda run=run: seconds(run) for name, run in runs.items()})
    for name, spent in found.items():
        ratio = LOOP / spent.processor
        print(f"\n{name}: 60 s of 100 cells in {spent.processor:.3f} s, {ratio:.0f} x faster than the loop")
    assert set(found) == set(runs)


def test_print_seconds_of_the_homology_of_a_thousand_points():
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, (12_000, 2))
    angle = np.c_[angle, angle.sum(axis=1)]
    cloud = np.concatenate([np.cos(angle), np.sin(angle)], axis=1) + 0.1 * rng.standard_normal((12_000, 6))
    points = farthest_points(cloud, 1000, rng)
    spent = best_of_rounds(
        3,
        {
            "a geometric subsample of 1000 of 12,000": lambda: seconds(lambda: farthest_points(cloud, 1000, rng)),
            "loops of 1000 points": lambda: seconds(lambda: persistence(points, (1,), field=3)),
            "voids of 250 points": lambda: seconds(lambda: persistence(points[:250], (2,), field=3)),
        },
    )
    for what, each in spent.items():
        print(f"\n{what}: {each.processor:.2f} s")
    assert len(persistence(points, (1,), field=3)[0]) > 2
