"""What dead processes left is swept, what living ones use stays, and nothing is followed out of its folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from toys import ToyChain

from simlab import litter
from simlab.session import Session
from simlab.store.archive import Archive

HOLD = """
import sys, time
from simlab.litter import room
with room(within=sys.argv[1]) as folder:
    (folder / "data").write_text("x")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _temporary_files_of_its_own(tmp_path, monkeypatch):
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))


def old(path: Path) -> None:
    then = time.time() - 2 * litter.ABANDONED
    os.utime(path, (then, then))


def test_a_room_is_private_and_gone_after_its_block():
    with litter.room() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert list(folder.iterdir()) == []
        assert litter.sweep() == 0
        assert folder.is_dir()
    assert os.listdir(tempfile.gettempdir()) == []


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_uses_is_not(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    folder = Path(holder.stdout.readline().strip())
    assert litter.sweep(tmp_path) == 0
    assert (folder / "data").exists()
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    assert litter.sweep(tmp_path) == 1
    assert not folder.parent.exists()


def test_only_folders_of_ours_that_nobody_touched_for_long_are_swept(tmp_path):
    fresh, without_lock, foreign = (tmp_path / name for name in (".writing-new", ".writing-old", "simlab-results"))
    for folder in (fresh, without_lock, foreign):
        folder.mkdir()
        (folder / "file").write_text("x")
    old(without_lock)
    old(foreign)
    target = tmp_path / "precious"
    target.mkdir()
    (tmp_path / ".writing-link").symlink_to(target)
    assert litter.sweep(tmp_path) == 1
    assert not without_lock.exists()
    assert fresh.exists()
    assert foreign.exists()
    assert target.exists()


def test_removing_follows_no_link_and_minds_neither_depth_nor_modes(tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("x")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(precious)
    os.mkfifo(folder / "fifo")
    here = os.open(folder, os.O_RDONLY)
    for _ in range(1200):  # deeper than calls may be, and than paths may be long
        os.mkdir("depth", dir_fd=here)
        os.symlink(precious, "l", dir_fd=here)
        deeper = os.open("depth", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.fchmod(here, 0)
    os.close(here)
    (folder / "depth").chmod(0o500)
    litter.remove(folder)
    assert not folder.exists()
    assert (precious / "file").read_text() == "x"


def test_sweeping_where_there_is_nothing_costs_next_to_nothing(tmp_path):
    (tmp_path / "some").mkdir()
    began = time.process_time()
    for _ in range(20):
        litter.sweep(tmp_path, None, tmp_path / "nowhere")
    assert (time.process_time() - began) / 20 < 5e-3


def test_a_purge_takes_half_written_entries_and_old_builds(tmp_path):
    archive = Archive(tmp_path / "archive")
    subject = ToyChain().subject(np.random.default_rng(0))
    archive.write("ab" + "0" * 62, subject.run(Session(2, 1.0), np.random.default_rng(1)))
    left = tmp_path / "archive" / "ab" / ".writing-dead"
    left.mkdir()
    old(left)
    used, unused = (litter.builds_folder() / name for name in ("used", "unused"))
    for build in (used, unused):
        build.mkdir(parents=True)
        (build / "main").write_text("x")
        build.with_name(build.name + ".lock").touch()
    then = time.time() - 2 * litter.BUILDS_KEPT
    os.utime(unused, (then, then))
    assert archive.purge(keep_bytes=10**9) == 0
    assert len(archive.entries()) == 1
    assert not left.exists()
    assert sorted(p.name for p in litter.builds_folder().iterdir()) == ["used", "used.lock"]


BRIAN = """
import os, tempfile
from simlab.simulators.brian.module import brian
brian()
print(sorted(os.listdir(tempfile.gettempdir())))
os._exit(0)  # as a kill: no exit handler tidies up
"""


def test_brian2_leaves_no_logs_and_no_copies_of_scripts_even_if_it_is_killed(tmp_path):
    place, script = tmp_path / "temporary", tmp_path / "script.py"
    script.write_text(BRIAN)
    environment = os.environ | {"TMPDIR": str(place), "PYTHONPATH": str(Path(litter.__file__).parents[1])}
    found = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=environment)
    assert found.stdout.strip() == "[]", found.stderr
    assert os.listdir(place) == []
