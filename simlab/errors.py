"""What a user did wrong, and what the house could not do."""

from __future__ import annotations


class SimlabError(Exception):
    """What a user did wrong: the rule, the value received and the fix."""


class BudgetExceeded(SimlabError):
    """An active method asked its rig for more than its budget; recorded as spent, not as a crash."""


class HouseFault(SimlabError):
    """The lab itself could not do its work (a full disk, a dead helper process): no fact about a method, so the run
    ends, keeping its finished rows."""
