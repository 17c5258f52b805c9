"""The archive gives back what was simulated, notices damage, and shares a folder between processes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr
from toys import ToyChain

from simlab.session import Session, Stimulus
from simlab.store.archive import Archive, ArchiveError

KEY = "ab" + "0" * 62


@pytest.fixture
def activity() -> xr.Dataset:
    subject = ToyChain().subject(np.random.default_rng(0))
    stimulus = Stimulus(("angle", "strength"), np.zeros((3, 5, 2)), 0.4)
    return subject.run(Session(3, 2.0, stimulus, (0, 1, 1)), np.random.default_rng(1))


def test_what_is_read_is_what_was_written(tmp_path, activity):
    Archive(tmp_path).write(KEY, activity)
    xr.testing.assert_identical(Archive(tmp_path).read(KEY), activity)


def test_a_single_label_is_kept_as_one(tmp_path):
    truth = xr.Dataset({"label": "ring attractor"})
    Archive(tmp_path).write(KEY, truth)
    kept = Archive(tmp_path).read(KEY)["label"]
    assert (kept.dims, kept.item()) == ((), "ring attractor")


def test_activity_is_simulated_once(tmp_path, activity):
    archive, calls = Archive(tmp_path), []

    def simulate() -> xr.Dataset:
        calls.append(1)
        return activity

    for _ in range(3):
        archive.fetch(KEY, simulate)
    assert (len(calls), archive.misses, archive.hits) == (1, 1, 2)


def test_an_archive_without_a_root_keeps_nothing(activity):
    archive = Archive(None)
    assert archive.fetch(KEY, lambda: activity) is activity
    assert archive.entries() == []


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete", "metadata"])
def test_a_damaged_entry_is_noticed_and_simulated_again(tmp_path, activity, damage):
    archive = Archive(tmp_path)
    archive.write(KEY, activity)
    chunk = max(
        (f for f in archive.path(KEY).rglob("*") if f.is_file() and "json" not in f.name),
        key=lambda f: f.stat().st_size,
    )
    if damage == "flip":
        content = bytearray(chunk.read_bytes())
        content[len(content) // 2] ^= 0xFF
        chunk.write_bytes(content)
    elif damage == "truncate":
        chunk.write_bytes(chunk.read_bytes()[:10])
    elif damage == "delete":
        chunk.unlink()
    else:
        (archive.path(KEY) / "zarr.json").write_text("{")
    with pytest.warns(UserWarning, match="damaged"):
        again = archive.fetch(KEY, lambda: activity)
    xr.testing.assert_identical(again, activity)
    xr.testing.assert_identical(archive.read(KEY), activity)


def test_many_writers_of_one_entry_leave_it_whole(tmp_path, activity):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: Archive(tmp_path).write(KEY, activity), range(16)))
    xr.testing.assert_identical(Archive(tmp_path).read(KEY), activity)
    assert not list(tmp_path.glob("??/.writing-*"))


def test_purging_frees_what_the_size_report_counted(tmp_path, activity):
    archive = Archive(tmp_path)
    for digit in "0123":
        archive.write(digit * 64, activity)
    before = archive.size()
    assert before == sum(size for _, size in archive.entries()) > 0
    freed = archive.purge(keep_bytes=before // 2)
    assert archive.size() == before - freed <= before // 2
    assert archive.purge() == before - freed
    assert archive.entries() == []


def test_a_root_that_cannot_be_made_is_a_clear_error(tmp_path, activity):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchiveError, match="SIMLAB_ARCHIVE"):
        Archive(tmp_path / "file").write(KEY, activity)
