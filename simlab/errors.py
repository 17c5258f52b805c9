"""What a user did wrong."""

from __future__ import annotations


class SimlabError(Exception):
    """What a user did wrong: the rule, the value received and the fix."""


class BudgetExceeded(SimlabError):
    """An active method asked its rig for more than its budget; recorded as spent, not as a crash."""
