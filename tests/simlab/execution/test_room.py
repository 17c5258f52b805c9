"""A loop costs the same however deep the stack is on which it runs."""

from __future__ import annotations

import resource
import sys

import pytest

from simlab.execution.room import with_room

CALLS = 300


def mapped_at(depth: int) -> int:
    """Pages that the system has to find for a loop of calls which begins so many frames further down."""
    if depth:
        return mapped_at(depth - 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for number in range(CALLS):
        same(number)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def same(number: int) -> int:
    return number


def most_mapped() -> int:
    return max(map(mapped_at, range(300)))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts of pages are Linux's")
def test_no_depth_of_the_stack_makes_each_call_map_memory():
    """300 frames fill several blocks; without room some depth maps a page at each of the calls."""
    assert with_room(most_mapped) < CALLS / 3


def test_what_is_called_with_room_returns_and_raises_as_ever():
    assert with_room(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        with_room(divmod, 7, 0)
