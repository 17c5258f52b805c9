"""What was found is kept by recipe and seed, in this process and on disk; what cannot be kept is found again."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pytest

from simlab.caches import cache_folder
from simlab.contracts import SimlabError
from simlab.simulators import kept_networks
from simlab.simulators.kept_networks import kept


class Found(NamedTuple):
    weights: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Recipe:
    steps: int = 3


@pytest.fixture(autouse=True)
def a_cache_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(kept_networks, "_found", {})


@pytest.fixture
def asked():
    return []


def find(asked, name):
    def found():
        asked.append(name)
        return Found(np.full((2, 2), float(len(asked))), np.ones(2))

    return found


def test_each_is_found_once_by_recipe_and_seed(asked, monkeypatch):
    first = kept(Recipe(), 1, Found, find(asked, "first"))
    assert kept(Recipe(), 1, Found, find(asked, "again")) is first
    kept(Recipe(), 2, Found, find(asked, "another seed"))
    kept(replace(Recipe(), steps=4), 1, Found, find(asked, "another recipe"))
    assert asked == ["first", "another seed", "another recipe"]
    monkeypatch.setattr(kept_networks, "_found", {})  # another process
    stored = kept(Recipe(), 1, Found, find(asked, "there"))
    assert isinstance(stored, Found)
    assert np.array_equal(stored.weights, first.weights)
    assert asked[-1] == "another recipe"


@pytest.mark.parametrize("content", [b"", b"half a file", b"PK\x03\x04 and no more"])
def test_a_broken_file_is_made_anew(asked, monkeypatch, content):
    kept(Recipe(), 1, Found, find(asked, "first"))
    for file in cache_folder().rglob("*.npz"):
        file.write_bytes(content)
    monkeypatch.setattr(kept_networks, "_found", {})
    kept(Recipe(), 1, Found, find(asked, "anew"))
    assert asked == ["first", "anew"]
    monkeypatch.setattr(kept_networks, "_found", {})
    assert kept(Recipe(), 1, Found, find(asked, "no more")).weights[0, 0] == 2.0


def test_a_file_of_another_kind_is_made_anew(asked, monkeypatch):
    kept(Recipe(), 1, Found, find(asked, "first"))
    np.savez(next(cache_folder().rglob("*.npz")), other=np.ones(3))
    monkeypatch.setattr(kept_networks, "_found", {})
    kept(Recipe(), 1, Found, find(asked, "anew"))
    assert asked == ["first", "anew"]


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(asked, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    first = kept(Recipe(), 1, Found, find(asked, "first"))
    assert kept(Recipe(), 1, Found, find(asked, "again")) is first


def test_what_fails_is_not_kept(asked):
    def fails():
        raise SimlabError("diverged")

    with pytest.raises(SimlabError, match="diverged"):
        kept(Recipe(), 1, Found, fails)
    kept(Recipe(), 1, Found, find(asked, "after all"))
    assert asked == ["after all"]
    assert len(list(cache_folder().rglob("*.npz"))) == 1
