"""What every test shares: an archive of its own, and a registry left as it was found."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator

import pytest
from _pytest import runner
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from threadpoolctl import threadpool_limits

from simlab.execution.room import with_room

# Threads of linear algebra that outnumber the cores (each worker's, and those of processes that tests start) wait by
# spinning, which makes small fits twenty times as slow. Libraries that are loaded later, and processes, read the
# environment; NumPy is loaded by a plug-in of pytest before this is read.
for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
threadpool_limits(1)

gc.set_threshold(100_000, 50, 50)  # compilers and imports make many objects, and few that are to be found


LONGEST = (
    "test_no_giveaway.py", "test_check.py", "test_runner.py", "test_bad_methods.py", "test_engines.py",
    "test_first_light.py", "test_cli.py", "test_readme.py", "test_published_connectivity.py", "test_report.py",
    "test_question_plugins_run.py", "test_kernel_networks.py", "test_cortical_patch.py", "test_forking.py",
)  # fmt: skip
"""Files whose tests take longest, as they are to be begun: one at the end would keep one of two workers waiting."""


def pytest_configure() -> None:
    """Hypothesis would read all modules of the house for numbers to try: 7 s of each worker."""
    providers._get_local_constants = Constants


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: k for k, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> object:
    """Runs a test as pytest does; without room, a tenth of all time went into mapping blocks of the stack."""
    return with_room(runner.pytest_runtest_protocol, item, nextitem)


@pytest.fixture(scope="module", autouse=True)
def _what_stays_is_not_searched() -> None:
    """At the start of a file: what the one before held is let go of after its end, and must not be kept for good."""
    _spare_the_collector()


def _spare_the_collector() -> None:
    """Takes what is alive out of the collector's way: each simulation collects, and would search all modules again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def _no_file_answers_to_another_s_name(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Modules that a test file wrote and imported leave with it: `broken.py` of one would be found by the next."""
    path, base = list(sys.path), str(tmp_path_factory.getbasetemp())
    yield
    sys.path[:] = path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(base):
            del sys.modules[name]


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
