"""The command line: list, show, run, results, claims, report, generate, check, archive.

Nothing heavy is imported before a command needs it; `simlab --help` and `simlab list` touch only metadata.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from simlab.bars import progress_bar as _progress_bar
from simlab.bars import simulation_bar as _simulation_bar

app = typer.Typer(
    name="simlab",
    help="A simulated neuroscience lab: how often does an analysis recover a mechanism that is known?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

KINDS = ("circuits", "instruments", "methods", "questions", "experiments")
Folder = Annotated[Path, typer.Argument(help="Run folder: the --out of `simlab run`.", metavar="DIR")]


def main() -> None:
    """The console script: what a user did wrong ends with one clear line and exit status 2."""
    from simlab.contracts import SimlabError

    try:
        app()
    except SimlabError as error:
        print(f"simlab: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None


@app.command("list")
def list_(
    kind: Annotated[str | None, typer.Argument(help=f"One of {', '.join(KINDS)}; all if left out.")] = None,
) -> None:
    """List what is there, by name."""
    from simlab.registry import names

    for group in (kind,) if kind else KINDS:
        found = names(group)
        if kind is None:
            print(f"{group}:")
        for name in found:
            print(name if kind else f"  {name}")


@app.command()
def show(
    name: str,
    figure: Annotated[Path | None, typer.Option(help="Draw its portrait into this PNG or SVG file.")] = None,
) -> None:
    """Show a plug-in's documentation, parameters, and truths or needs; or draw its portrait."""
    from simlab.describe import description
    from simlab.registry import find

    kind, found = find(name)
    print(description(name, kind, found))
    if figure is not None:
        from simlab.report.portrait import portrait

        print(f"portrait: {portrait(found() if isinstance(found, type) else found, figure)}")


@app.command()
def run(
    experiment: Annotated[str, typer.Argument(help="A name from `simlab list experiments`, or a Python file.")],
    subjects: Annotated[int | None, typer.Option(help="Subjects per cell, instead of the experiment's own.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes; the number of cores by default.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; runs/NAME by default.")] = None,
    seed: Annotated[str | None, typer.Option(help="Another seed than the experiment's: any number or word.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Every method in its own sealed process.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
) -> None:
    """Run an experiment, print its leaderboard and claims, and write its report."""
    from simlab.provenance import machine
    from simlab.running.loop import run as run_experiment

    with _progress_bar() as progress:
        found = run_experiment(
            experiment,
            out,
            subjects=subjects,
            workers=int(machine()["cores"]) if workers is None else workers,
            strict=strict,
            resume=resume,
            seed=_seed(seed),
            progress=progress,
        )
    _print_summary(found)
    from simlab.report import write_report

    print(f"report: {write_report(found)}")


@app.command()
def results(
    folder: Folder,
    csv: Annotated[bool, typer.Option("--csv", help="Every cell as CSV.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Every cell as JSON records.")] = False,
    parquet: Annotated[Path | None, typer.Option(help="Write every cell to this Parquet file.")] = None,
) -> None:
    """Print the leaderboard of a run, or every cell as CSV or JSON, on standard output."""
    from simlab.store.results import Results

    found = Results(folder)
    if parquet is not None:
        _to_parquet(found.table, parquet)
    elif csv:
        found.table.to_csv(sys.stdout, index=False)
    elif json:
        found.table.to_json(sys.stdout, orient="records", indent=1)
        print()
    else:
        _print_progress(found)
        print(_plain_table(found.leaderboard()))


@app.command()
def claims(folder: Folder) -> None:
    """Check the experiment's claims on a run; exit status 1 unless every one holds."""
    from simlab.store.results import Results

    verdicts = Results(folder).claims()
    for verdict in verdicts:
        print(_claim_text(verdict))
    if any(verdict.verdict in ("fails", "not measured") for verdict in verdicts):
        raise SystemExit(1)


@app.command()
def score(
    folder: Folder,
    criteria: Annotated[
        list[str] | None, typer.Option("--set", help="A question's criterion: connectivity.least_mcc=0.4. Repeatable.")
    ] = None,
) -> None:
    """Score the kept findings of a run again, as the questions now are, without analysing anew."""
    from simlab.running.rescoring import score_again

    found = score_again(folder, _questions(criteria or []))
    print(_plain_table(found.leaderboard()))


@app.command()
def report(folder: Folder) -> None:
    """Write the report of a run, one self-contained HTML file, and its figures."""
    from simlab.report import write_report
    from simlab.store.results import Results

    print(write_report(Results(folder)))


@app.command()
def generate(
    circuit: Annotated[str, typer.Argument(help="A name from `simlab list circuits`.")],
    trials: Annotated[int, typer.Option(help="Number of trials.")],
    duration: Annotated[float, typer.Option(help="Length of each trial [s].")],
    out: Annotated[Path, typer.Option(help="Where the data go: a .nwb file or a .zarr folder.")],
    instrument: Annotated[str, typer.Option(help="A name from `simlab list instruments`.")] = "perfect",
    truth: Annotated[Path | None, typer.Option(help="Where the truth goes, in its own file.")] = None,
    seed: Annotated[str, typer.Option(help="Seed of the subject and its recording.")] = "0",
) -> None:
    """Generate a synthetic dataset; its truth goes into a file of its own."""
    from simlab.contracts import SimlabError
    from simlab.exchange.generate import generate as generate_dataset

    if truth is not None and truth.resolve() == out.resolve():
        raise SimlabError(f"data and truth must lie in files of their own, got {out} for both: name another --truth")
    with _simulation_bar():
        recording = generate_dataset(
            circuit, instrument, trials=trials, duration=duration, seed=seed, out=out, truth=truth
        )
    print(f"{out}: {recording.sizes['unit']} units, {trials} trials of {duration:g} s")


@app.command()
def check(name: str) -> None:
    """Check a plug-in against its contract, on a tiny real problem; exit status 1 if it falls short."""
    from simlab.checks.check import check as check_plugin

    outcome = check_plugin(name, raises=False)
    print(outcome)
    if not outcome.ok:
        raise SystemExit(1)


@app.command()
def archive(
    purge: Annotated[bool, typer.Option("--purge", help="Remove what it holds, longest unused first.")] = False,
    keep: Annotated[float, typer.Option(help="With --purge: leave this many GB.")] = 0.0,
) -> None:
    """Report the size of the archive of simulated activity, or purge it."""
    from simlab.store.archive import Archive, default_root

    store = Archive(default_root())
    if purge:
        print(f"freed {store.purge(int(keep * 1e9)) / 1e6:.1f} MB")
    print(f"{store.root}: {len(store.entries())} entries, {store.size() / 1e6:.1f} MB")


def _questions(criteria: list[str]) -> list[Any]:
    """Questions with these criteria, `question.field=value`."""
    from simlab.contracts import SimlabError
    from simlab.registry import create

    chosen: dict[str, dict[str, Any]] = {}
    for text in criteria:
        found = re.fullmatch(r"(\w+)\.(\w+)=(.+)", text)
        if found is None:
            raise SimlabError(f"a criterion must read question.field=value, got {text!r}: connectivity.least_mcc=0.4")
        try:
            value = ast.literal_eval(found[3])
        except (ValueError, SyntaxError):
            raise SimlabError(
                f"the value of a criterion must be a number or a tuple of them, got {found[3]!r}"
            ) from None
        chosen.setdefault(found[1], {})[found[2]] = value
    return [create("questions", name, **fields) for name, fields in chosen.items()]


def _seed(text: str | None) -> int | str | None:
    if text == "":
        raise typer.BadParameter("a seed must be a number or a word, got nothing")
    return int(text) if text is not None and text.isdecimal() else text


def _print_progress(found: Any) -> None:
    done, cells = found.progress
    if done < cells:
        print(f"unfinished: {done} of {cells} cells; go on with `simlab run ... --resume`")


def _print_summary(found: Any) -> None:
    print(_plain_table(found.leaderboard()))
    for verdict in found.claims():
        print(_claim_text(verdict))
    failed = found.table[found.table["status"] == "error"]
    if len(failed):
        print(f"{len(failed)} cells ended with an error; the first: {failed.iloc[0]['reason']}")
    print(f"results: {found.folder}")


def _claim_text(verdict: Any) -> str:
    claim, measured = verdict.claim, verdict.measured
    low, high = claim.band
    interval = "" if measured.low != measured.low else f" [{measured.low:.3g}, {measured.high:.3g}]"
    detail = f"; {measured.detail}" if measured.detail else ""
    return (
        f"{verdict.verdict.upper():12} {claim.name}: {claim.statement}\n"
        f"{'':12} measured {measured.value:.3g}{interval} (n={measured.n}{detail}); "
        f"expected {low:g} to {high:g}; source: {claim.source}"
    )


SHORT = (
    "question", "league", "method_label", "n", "n_left_out", "separation", "recovery", "recovery_low", "recovery_high",
    "metric", "value", "chance", "ceiling", "ceiling_recovery", "false_recovery", "false_recovery_least",
    "false_recovery_most", "abstention", "error_rate", "rival_error_rate", "over_budget", "seconds_analysis",
)  # fmt: skip


def _plain_table(frame: Any) -> str:
    columns = [name for name in SHORT if name in frame.columns]
    return frame[columns].to_string(index=False, float_format=lambda x: f"{x:.3g}", na_rep="-")


def _to_parquet(table: Any, path: Path) -> None:
    from simlab.contracts import SimlabError

    try:
        table.to_parquet(path)
    except ImportError as error:
        raise SimlabError("Parquet files need pyarrow: install simlab[tables]") from error
    except OSError as error:
        raise SimlabError(f"{path} cannot be written ({error}): name another file") from error
    print(path)
