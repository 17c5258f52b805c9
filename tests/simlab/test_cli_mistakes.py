"""What goes wrong at the command line ends with one clear line and status 2, before anything is simulated."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from simlab.cli import main

FILE = Path(__file__).parents[1] / "support" / "toy_experiment.py"

PAIR = """
import simlab
from toys import LagCorrelation
EXPERIMENT = simlab.Experiment(name="pair", asks="?", grids=(simlab.Grid(
    circuits=("coupled_rates",), plans=(simlab.Plan(2, 1.0),), instruments=("perfect", "electrodes"),
    methods=(LagCorrelation(),)),))
"""
FILES = {
    "broken.py": "x = (", "empty.py": "x = 1", "raising.py": "raise ValueError('no luck')", "my exp.py": "x = 1",
    "leaving.py": "raise SystemExit(0)", "impossible_pair.py": PAIR, "taken.nwb": "", "file": "", "xarray.py": "x = 1",
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a finished run in it, broken files, folders named like files, and a damaged run."""
    from simlab.running.loop import run

    here = tmp_path_factory.mktemp("mistakes")
    for name, text in FILES.items():
        (here / name).write_text(text)
    for name in ("folder", "folder.py", "folder.png", "folder.nwb", "folder.parquet", "damaged"):
        (here / name).mkdir()
    (here / "damaged" / "run.json").write_text('{"format": ')
    run(str(FILE), here / "run", subjects=1, archive=False)
    return here


@pytest.fixture(autouse=True)
def _nothing_is_simulated(place, monkeypatch):
    """Circuits whose activity would end the test; the finished run was made before."""
    from toys import ToySubject

    from circuits.networks.balanced_ei import BalancedEISubject
    from circuits.networks.coupled_rates import CoupledRatesSubject

    def never(*_: object) -> None:
        pytest.fail("a mistake was found only after something had been simulated")

    monkeypatch.setattr(sys, "path", [*sys.path])
    for subject in (BalancedEISubject, CoupledRatesSubject, ToySubject):
        monkeypatch.setattr(subject, "run", never)


def told(place: Path, capsys, monkeypatch, line: str, status: int = 2) -> str:
    """What `simlab LINE` says on standard error, run in the folder of mistakes; `%` stands for the toy experiment."""
    monkeypatch.chdir(place)
    words = [str(FILE) if word == "%" else word.replace("_SPACE_", " ") for word in line.split(" ")]
    with pytest.raises(SystemExit) as ended:
        main([word.replace("_NOTHING_", "") for word in words])
    said = capsys.readouterr().err
    assert ended.value.code == status, said
    return said


GENERATE = "generate balanced_ei --trials 2 --duration 1 --out d.nwb"

MISTAKES = [
    # words that there are not
    ("shwo balanced_ei", "Did you mean 'show'"),
    ("list circuit", "no kind 'circuit' (did you mean circuits?)"),
    ("list rivals", "no kind 'rivals'"),
    ("show balanced_e", "nothing is named 'balanced_e' (did you mean balanced_ei?)"),
    ("show Balanced-EI", "did you mean balanced_ei?"),
    ("show _NOTHING_", "nothing is named ''"),
    ("show", "Missing argument"),
    ("show ring_SPACE_atträctor", "did you mean ring_attractor"),
    ("check coupling_gml", "did you mean coupling_glm?"),
    ("run first_lihgt", "did you mean first_light?"),
    ("run % --subject 3", "--subjects"),
    ("run % --subjects few", "valid integer"),
    # pictures
    ("show balanced_ei --figure x.bmp", ".svg, .png or .pdf, got 'x.bmp'"),
    ("show balanced_ei --figure x", ".svg, .png or .pdf, got 'x'"),
    ("show balanced_ei --figure folder.png", "that is a folder"),
    ("show balanced_ei --figure file/x.png", "is no folder"),
    ("show balanced_ei --figure /proc/x.png", "name a file in another folder"),
    ("show coupling_glm --figure x.png", "coupling_glm is none of them"),
    ("show first_light --figure x.png", "first_light is none of them"),
    # parameters
    ("show balanced_ei --set n_neuron=40", "(did you mean n_neurons?), got 'n_neuron=40'; the parameters are"),
    ("show balanced_ei --set n_neurons", "must read field=value"),
    ("show balanced_ei --set n_neurons=", "must read field=value"),
    ("show balanced_ei --set n_neurons=many", "n_neurons must be a number, got 'many'"),
    ("show balanced_ei --set n_neurons=40 --set n_neurons=50", "is set twice"),
    ("show balanced_ei --set n_neurons.x=40", "has no parameters of its own"),
    ("show subsample --set electrodes.n_sites=3", "no part is named 'electrodes'"),
    ("show subsample --set n_units=0", "n_units must be"),
    ("show pipeline --set method=persistent_homologie", "did you mean persistent_homology?"),
    ("run % --set width=0.01", "set lag_correlation.width or slow.width"),
    ("run % --set lag_corelation.width=0.01", "did you mean lag_correlation?"),
    ("run % --set plan.trials=0", "trials must be a whole number in 1"),
    ("run % --set experiment.subjects=3", "it takes: memory_limit, time_limit"),
    ("run % --set toy_rival.n_neurons=9", "is decided by toy_chain"),
    ("run % --out run --resume --set subsample.n_units=3", "a resumed run keeps its settings"),
    # experiments and folders
    ("run nonesuch", "no experiment named 'nonesuch'"),
    ("run missing.py", "is not there"),
    ("run folder", "is neither"),
    ("run folder.py", "is a folder"),
    ("run broken.py", "broken.py cannot be run as Python: SyntaxError"),
    ("run empty.py", "must define one simlab.Experiment"),
    ("run raising.py", "ValueError: no luck"),
    ("run leaving.py", "SystemExit"),
    ("run my_SPACE_exp.py", "rename the file"),
    ("run xarray.py", "rename the file"),
    ("run impossible_pair.py", "electrodes needs spikes, and the circuit coupled_rates has rate alone"),
    ("run % --subjects 0", "subjects must be a whole number"),
    ("run % --workers 0", "workers must be a whole number"),
    ("run % --seed _NOTHING_", "a seed must be a number or a word"),
    ("run % --out file", "out must be a folder"),
    ("run % --out /proc/run", "name another with --out"),
    ("run % --out run", "--resume"),
    ("run % --out other --resume", "holds no run to go on with"),
    ("results missing", "is no run folder"),
    ("results file", "is no run folder"),
    ("results damaged", "run.json cannot be read"),
    ("results run --csv --json", "got --csv and --json: give one of them"),
    ("results run --all --json", "got --json and --all"),
    ("results run --parquet missing/x.parquet", "make it first"),
    ("results run --parquet folder.parquet", "that is a folder"),
    ("claims missing", "is no run folder"),
    ("report folder", "is no run folder"),
    ("score folder", "is no run folder"),
    ("score run --set topology.x=1", "asks connectivity, not topology"),
    ("score run --set connectivity.least_mc=1", "(did you mean least_mcc?)"),
    ("score run --set connectivity.least_mcc=(1,", "must be a number"),
    # datasets
    (f"{GENERATE} --instrument electrode", "did you mean electrodes?"),
    (f"{GENERATE} --instrument ideal", "must record"),
    (f"{GENERATE} --trials 0", "trials must be"),
    (f"{GENERATE} --trials 1.5", "valid integer"),
    (f"{GENERATE} --duration nan", "duration must be"),
    (f"{GENERATE} --out d.csv", "must end in .nwb or .zarr"),
    (f"{GENERATE} --out missing/d.nwb", "make missing first"),
    (f"{GENERATE} --out taken.nwb", "is there already"),
    (f"{GENERATE} --out folder.nwb", "is there already"),
    (f"{GENERATE} --out /proc/d.nwb", "name a file in another folder"),
    (f"{GENERATE} --truth d.nwb", "files of their own"),
    (f"{GENERATE} --truth d.txt", "must end in .json or .zarr"),
    (f"{GENERATE} --seed _NOTHING_", "a seed must be a number or a word"),
    (f"{GENERATE} --set instrument.n_units=3", "perfect has no parameter n_units"),
    (f"{GENERATE} --instrument subsample --set n_units=1000", "n_units must be at most"),
    (f"{GENERATE} --instrument electrodes --set amplitude=1e-9", "amplitude must be a number in"),
    ("generate coupled_rates --trials 2 --duration 1 --out d.nwb --instrument electrodes", "needs spikes"),
    ("generate coupled_rates --trials 2 --duration 1 --out d.nwb --instrument two_photon", "needs spikes"),
    ("generate balanced_ei --duration 1 --out d.nwb", "--trials"),
    # the archive
    ("archive --keep 1", "add --purge"),
    ("archive --keep -1 --purge", "must be a number of GB >= 0, got -1"),
    ("archive --keep nan --purge", "must be a number of GB >= 0"),
    ("archive --keep all --purge", "valid number"),
]


@pytest.mark.parametrize(("line", "rule"), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_a_mistake_ends_with_one_clear_line(place, capsys, monkeypatch, line, rule):
    said = told(place, capsys, monkeypatch, line)
    assert rule in " ".join(said.split())
    assert "Traceback" not in said
    if said.startswith("Usage:"):
        assert said.count("Error: ") == 1
    else:
        assert said.startswith("simlab: ")
        assert said.count("\n") == 1
    assert not (place / "d.nwb").exists()
    assert not (place / "runs").exists()


def test_a_purge_that_is_refused_removes_nothing(place, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("SIMLAB_ARCHIVE", str(tmp_path / "archive"))
    entry = tmp_path / "archive" / "ab" / "abc.zarr"
    entry.mkdir(parents=True)
    (entry / "zarr.json").write_text(json.dumps({}))
    told(place, capsys, monkeypatch, "archive --keep -1 --purge")
    told(place, capsys, monkeypatch, "archive --keep 5")
    assert entry.is_dir()


def test_the_command_itself_says_so_in_a_process_of_its_own(place):
    done = subprocess.run(
        [sys.executable, "-m", "simlab", "show", "balanced_e"], capture_output=True, text=True, cwd=place
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("simlab: nothing is named 'balanced_e' (did you mean balanced_ei?)")
    assert done.stderr.count("\n") == 1
