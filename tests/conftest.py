"""What every test shares: an archive of its own, and a registry left as it was found."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


def pytest_collection_finish() -> None:
    _spare_the_collector()


@pytest.fixture(scope="module", autouse=True)
def _what_stays_is_not_searched() -> Iterator[None]:
    yield
    _spare_the_collector()


def _spare_the_collector() -> None:
    """Takes what is alive out of the collector's way: each simulation collects, and would search all modules again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _archive_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMLAB_ARCHIVE", str(tmp_path_factory.getbasetemp() / "archive"))


@pytest.fixture(autouse=True)
def _registry_as_it_was() -> object:
    from simlab import registry

    before = {kind: dict(found) for kind, found in registry._registered.items()}
    yield
    for kind, found in before.items():
        registry._registered[kind].clear()
        registry._registered[kind].update(found)
