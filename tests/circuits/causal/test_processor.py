"""The machine of gates does what the instructions say, by an emulator that knows no gates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuits.causal.gates import Netlist
from circuits.causal.instructions import BEHAVIOURS, CODE, OPERATIONS, Program, bits_of, emulate, random_program
from circuits.causal.processor import SETTLED, build
from circuits.causal.running import NO_WORD, Task, expected, share_right, shown, words_of
from simlab.contracts import SimlabError

TICK = 1e-3


def outcomes(machine, task, turns=60):
    n_ticks = turns * machine.period
    words = words_of(machine, machine.net.network(TICK), task, n_ticks)
    return share_right(words, expected(machine, task, n_ticks))


def left_over(task, rng, top):
    """The same task with memory and accumulator as after earlier work."""
    memory, accumulator = rng.integers(top, size=task.memory.shape), rng.integers(top, size=task.trials)
    return replace(task, memory=memory, accumulator=accumulator)


@pytest.mark.parametrize(("width", "memory_words"), [(2, 4), (4, 8), (6, 16)])
def test_the_gates_show_what_the_emulator_shows(width, memory_words):
    rng = np.random.default_rng(width)
    programs = [random_program(f"{k}", rng, width=width, memory_words=memory_words) for k in range(40)]
    used = {operation for program in programs for operation, _ in program.instructions}
    assert used == set(OPERATIONS) - {"NOP"}
    machine = build(width, memory_words, 20)
    task = left_over(Task.of(machine, programs, rng.integers(2**width, size=(4, 2))), rng, 2**width)
    assert outcomes(machine, task).min() == 1.0
    assert (expected(machine, task, 1200) != NO_WORD).sum() > 1000


def test_any_sixteen_instructions_do_what_they_say():
    rng = np.random.default_rng(7)
    drawn = [
        Program(
            f"{k}", tuple((OPERATIONS[o], int(n)) for o, n in zip(*rng.integers(0, (13, 16), (16, 2)).T, strict=True))
        )
        for k in range(150)
    ]
    machine = build(4, 8, 20)
    task = left_over(Task.of(machine, drawn, rng.integers(16, size=(2, 2))), rng, 16)
    assert outcomes(machine, task).min() == 1.0
    assert (expected(machine, task, 1200) != NO_WORD).any(axis=1).sum() > 100


@pytest.mark.parametrize(
    ("operation", "left", "right", "result"),
    [("ADD", 13, 6, 3), ("SUB", 2, 5, 13), ("XOR", 12, 10, 6), ("AND", 12, 10, 8), ("LOAD", 1, 9, 9)],
)
def test_an_operation_by_hand(operation, left, right, result):
    program = Program("by hand", (("IN", 1), ("STORE", 2), ("IN", 0), (operation, 2), ("OUT", 0)))
    assert emulate(program, (left, right), 5, width=4, memory=[0] * 8) == [result]
    machine = build(4, 8, 20)
    task = Task.of(machine, [program], np.array([[left, right]]))
    assert words_of(machine, machine.net.network(TICK), task, 100).tolist() == [[result]]


def test_the_three_behaviours_by_hand():
    words = [emulate(p, (3, 2), 24, width=4, memory=[0] * 8) for p in BEHAVIOURS]
    assert words[0][:5] == [5, 7, 9, 11, 13]
    assert words[1][:6] == [3, 2, 1, 0, 3, 2]
    assert words[2][:4] == [3, 1, 3, 1]


def test_the_clock_waits_for_the_deepest_path_and_no_longer_than_it_must():
    enough = build(4, 8, 100).settling() + SETTLED
    assert enough == 18
    rng = np.random.default_rng(4)
    programs = [random_program(f"{k}", rng, width=4, memory_words=8) for k in range(40)]
    for period, right in ((enough, True), (enough - 1, False)):
        machine = build(4, 8, period)
        task = Task.of(machine, programs, rng.integers(16, size=(3, 2)))
        assert bool(outcomes(machine, task).min() == 1.0) == right


def test_a_decoders_lines_and_a_word_of_a_program():
    program = Program("one", (("JZ", 5),))
    assert program.bits()[0].tolist() == [1, 0, 1, 0, *bits_of(CODE["JZ"], 4).tolist()]
    assert not program.bits()[1:].any()


def test_gates_that_feed_back_on_themselves_are_refused():
    net = Netlist()
    one, other = net.unit("m", "one", 0.5), net.unit("m", "other", 0.5)
    net.wire(one, other)
    net.wire(other, one)
    with pytest.raises(SimlabError, match="must not feed back on themselves outside latches"):
        net.depth([one])


def test_words_are_counted_in_order_at_every_rise_of_the_strobe():
    lines = np.zeros((2, 6, 3), bool)
    lines[0, [1, 2, 5], 2] = True  # a strobe that stays on shows one word
    lines[0, 1, 0], lines[0, 5, :2] = True, True
    assert shown(lines).tolist() == [[1, 3], [NO_WORD, NO_WORD]]
    wanted = np.array([[1, 2], [1, NO_WORD]])
    assert share_right(shown(lines), wanted).tolist() == [0.5, 0.0]
    assert share_right(np.array([[1, 2, 3, 4]]), np.array([[1, 2, 3]])).tolist() == [0.75]  # one too many
    assert share_right(np.zeros((1, 0), int), np.zeros((1, 0), int)).tolist() == [1.0]
