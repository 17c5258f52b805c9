"""Marks of tests that need what not every kernel has."""

from __future__ import annotations

import pytest

from simlab.execution.strict.jail import protections

needs_landlock = pytest.mark.skipif(protections()["landlock"] == 0, reason="this kernel has no Landlock")
needs_seccomp = pytest.mark.skipif(not protections()["seccomp"], reason="no system-call filter here")
