"""What the lesions of the processor cost. Run with `pytest -m benchmark -s`."""

import time

import pytest

from circuits.causal.instructions import BEHAVIOURS
from circuits.causal.machines import TURNS, lesions, localisation
from circuits.causal.microprocessor import Microprocessor


@pytest.mark.benchmark
def test_all_lesions_of_the_processor():
    circuit = Microprocessor()
    lesions(circuit, pairs=1)  # compiled
    for what, screen in {
        "single lesions, 3 programs x 1 pair of operands": lambda: lesions(circuit, pairs=1),
        "single lesions, 3 programs x 8 pairs": lambda: lesions(circuit),
        "single lesions, 32 other programs x 4 pairs": lambda: lesions(circuit, circuit.programs[3:], pairs=4),
        "the truth of localisation": lambda: localisation.__wrapped__(circuit),
    }.items():
        wall, spent = time.perf_counter(), time.process_time()
        found = screen()
        wall, spent = time.perf_counter() - wall, time.process_time() - spent
        print(f"\n{what}: {wall:.1f} s, {spent:.1f} s of processor time")
        if hasattr(found, "classes"):
            print(f"   of {circuit.machine.net.n_units} units, {TURNS} turns: {found.classes()}")
    assert len(BEHAVIOURS) == 3
