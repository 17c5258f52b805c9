"""What a worker keeps between cells, when its cells run in threads."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from simlab.lab.memory import forget, kept


@pytest.fixture
def hurried(monkeypatch):
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)
    forget()


def test_threads_may_share_it(hurried):
    """One may drop what another is about to take."""

    def work(first):
        return all(kept(("test", (first + i) % 40), lambda: 5) == 5 for i in range(10_000))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(0, 28, 7)))
