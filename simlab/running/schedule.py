"""The order of cells, so that each simulation is made once and no slot waits without need."""

from __future__ import annotations

from collections import deque

from simlab.experiment import Cell


class Schedule:
    """The order of cells: those of one simulation go to one slot in turn, so that it is simulated once.

    When no simulation is left to begin, free slots help with those whose activity is already in the archive.
    """

    def __init__(self, todo: list[tuple[int, Cell]]) -> None:
        groups: dict[tuple, deque] = {}
        for position, cell in todo:
            home = (id(cell.circuit), cell.subject, cell.plan)
            groups.setdefault(home, deque()).append((position, cell, home))
        self._groups = groups
        self._waiting = deque(groups)
        self._begun: dict[tuple, None] = {}  # groups whose first cell is done, and that have cells left
        self._next: deque[tuple] = deque()  # groups that just gave up a slot

    def take(self) -> tuple[int, Cell, tuple] | None:
        """The next cell to submit, or None if all that is left waits for a simulation in flight."""
        while self._next:
            home = self._next.popleft()
            if self._groups[home]:
                return self._groups[home].popleft()
        if self._waiting:
            return self._groups[self._waiting.popleft()].popleft()
        for home in list(self._begun):
            if self._groups[home]:
                return self._groups[home].popleft()
            del self._begun[home]
        return None

    def finished(self, taken: tuple[int, Cell, tuple]) -> None:
        """A cell is done: its group may go on, and others may now help with it."""
        home = taken[2]
        self._begun.setdefault(home)
        self._next.append(home)
