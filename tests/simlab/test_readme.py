"""What the README shows works as it is written there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def run_python(code: str, cwd: Path, **more: str) -> str:
    script = cwd / "block.py"
    script.write_text(code)
    done = subprocess.run(
        [sys.executable, str(script)], cwd=cwd, env={**os.environ, **more}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_notebook_method_is_registered_checked_and_run(tmp_path):
    printed = run_python(BLOCKS[0], tmp_path)
    assert "lagged_covariance" in printed
    assert "baseline:oracle" in printed
    assert (tmp_path / "runs" / "my_first" / "ledger.sqlite").is_file()


def test_the_notebook_method_has_fifteen_lines():
    body = re.search(r"@dataclass.*?(?=\nsimlab\.register)", BLOCKS[0], flags=re.DOTALL).group()
    assert len([line for line in body.splitlines() if line.strip()]) <= 15


def test_plain_arrays_of_anybodys_spikes_are_analysed(tmp_path):
    assert "pairs decided" in run_python(BLOCKS[1], tmp_path)


@pytest.fixture(scope="module")
def plugin(tmp_path_factory) -> Path:
    """The example package, installed in a place of its own."""
    target = tmp_path_factory.mktemp("site")
    source = ROOT / "docs" / "examples" / "plugin"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(source)]
    subprocess.run(pip, check=True, capture_output=True)
    return target


def test_a_method_in_another_package_is_listed_and_checked_by_name(plugin, tmp_path):
    code = (
        "import sys; from simlab.cli import main\n"
        "for arguments in (['list', 'methods'], ['check', 'rate_product']):\n"
        "    sys.argv = ['simlab', *arguments]\n"
        "    try: main()\n"
        "    except SystemExit as end: assert not end.code, end.code\n"
    )
    printed = run_python(code, tmp_path, PYTHONPATH=str(plugin))
    assert "rate_product\n" in printed


def test_a_method_in_another_package_runs_in_an_experiment_file(plugin, tmp_path):
    (tmp_path / "foreign.py").write_text(
        "import simlab\n"
        "from rate_product import RateProduct\n"
        "EXPERIMENT = simlab.Experiment('foreign', 'Do rates give wiring away?', (simlab.Grid(\n"
        "    circuits=tuple(simlab.create('circuits', 'independent_' + x) for x in ('fluctuations', 'poisson')),\n"
        "    plans=(simlab.Plan(5, 1.0),), instruments=(simlab.create('instruments', 'subsample', n_units=10),),\n"
        "    methods=(RateProduct(),)),), subjects=1)\n"
    )
    code = (
        "import simlab\n"
        "if __name__ == '__main__':\n"
        "    table = simlab.run('foreign.py', out='run', workers=1).table\n"
        "    print(table.query(\"method == 'rate_product'\")['status'].tolist())\n"
    )
    assert "['abstained', 'ok']" in run_python(code, tmp_path, PYTHONPATH=str(plugin))
