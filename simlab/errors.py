"""What a user did wrong, and what the house could not do."""

from __future__ import annotations


class SimlabError(Exception):
    """What a user did wrong: the rule, the value received and the fix."""


class BudgetExceeded(SimlabError):
    """An active method asked its rig for more than its budget; recorded as spent, not as a crash."""


class HouseFault(SimlabError):
    """The house is at fault, not whoever is being examined: a full disk, a damaged store, a worker that was lost.

    No fact about a cell: it ends the run with its message, whatever code it passes through, and is never booked to a
    method, a circuit or an instrument.
    """
