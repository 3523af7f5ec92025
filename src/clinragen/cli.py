"""The commands. Imports are lazy: `--help` needs no torch."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from clinragen.clinical.label_file import read_labels
from clinragen.errors import ClinragenError
from clinragen.labels import about
from clinragen.recipe import Grounding, Recipe, Section, Source
from clinragen.recipe_file import read_recipe
from clinragen.steps import STEPS, Step, run_folder, run_step

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Diagnoses with reasons you can check: from hospital records to a small model that explains itself.",
)
console = Console(quiet=os.environ.get("RANK", "0") != "0")
"""Of several processes only the first tells anything."""

RecipePath = Annotated[Path, typer.Argument(help="a recipe file (TOML)")]
Overrides = Annotated[list[str] | None, typer.Argument(help="section.key=value ...")]
CasePath = Annotated[Path, typer.Argument(help="a case file (JSON)")]


def main() -> None:
    """Run a command; what the user can put right is told without a traceback."""
    try:
        app()
    except ClinragenError as fault:
        Console(stderr=True).print(f"[bold red]{type(fault).__name__}[/]: ", end="")
        Console(stderr=True).print(str(fault), markup=False, highlight=False)
        raise SystemExit(2) from None


@app.command()
def run(recipe: RecipePath, overrides: Overrides = None) -> None:
    """Ingest to evaluate, skipping what is complete."""
    read = read_recipe(recipe, overrides or ())
    for step in STEPS:
        _run(step, read)
    _tell_results(read)


@app.command()
def explain(section: Annotated[str | None, typer.Argument(help="a section of the recipe")] = None) -> None:
    """What each recipe key means."""
    names = [section] if section else ["", *_sections()]
    for name in names:
        _explain(name)


@app.command()
def check(
    case: CasePath,
    model: Annotated[
        str, typer.Option(help="folder of an entailment model, asked about what the rules leave open")
    ] = "",
    threshold: Annotated[
        float, typer.Option(min=0.01, max=1, help="least probability at which it is believed")
    ] = Grounding().threshold,
) -> None:
    """Print the claims of a case's rationale with spans and verdicts, as JSON."""
    from clinragen.grounding.run import check_case

    said = check_case(case, Grounding(model=model, threshold=threshold))
    console.print_json(json.dumps(said, ensure_ascii=False, default=str))


@app.command()
def diagnose(run: Annotated[Path, typer.Argument(help="a run folder")], case: CasePath) -> None:
    """Diagnose one case with a trained student: probabilities, answer, rationale with verdicts, facts."""
    from clinragen.evaluate.diagnose import diagnose_case

    console.print_json(json.dumps(diagnose_case(run, case), ensure_ascii=False, default=str))


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="a run folder, evaluated")],
    folder: Annotated[Path, typer.Argument(help="where the checkpoint is written; must not be there")],
    even_so: Annotated[
        bool,
        typer.Option(help="export a student that does not follow its series, with a warning in its card"),
    ] = False,
    push: Annotated[str, typer.Option(help="a repository of the Hugging Face hub to send it to")] = "",
    agreement: Annotated[
        str,
        typer.Option(help="push: the agreement that permits sharing what learnt from credentialed records"),
    ] = "",
) -> None:
    """Write the student of a run with its card, recipe, label table and facts, to be used elsewhere."""
    from clinragen.evaluate.export import export_run, push_to_hub

    export_run(run, folder, even_so)
    console.print(f"written: {folder}")
    if push:
        console.print(f"sent: {push_to_hub(folder, push, agreement)}")


@app.command()
def facts(
    case: CasePath,
    run: Annotated[Path | None, typer.Option(help="a run folder; without it, the curated facts")] = None,
    top: Annotated[int, typer.Option(min=1, help="how many facts")] = 10,
) -> None:
    """Print the facts that bear on a case, best first, with score and citation, as JSON."""
    from clinragen.knowledge.case_facts import facts_of_case

    console.print_json(json.dumps(facts_of_case(case, run, top), ensure_ascii=False))


@app.command()
def grid(
    path: Annotated[Path, typer.Argument(help="a grid file (TOML)")], overrides: Overrides = None
) -> None:
    """Run every variant of a grid with every seed, and write their table."""
    from clinragen.grid import read_grid, run_grid

    told = run_grid(read_grid(path, overrides or ()), _run)
    console.print(told.read_text(encoding="utf-8"), markup=False)
    console.print(f"written: {told}")


def _step_command(step: Step) -> None:
    def command(recipe: RecipePath, overrides: Overrides = None) -> None:
        _run(step, read_recipe(recipe, overrides or ()))

    command.__doc__ = f"Run the step `{step.name}` alone."
    app.command(step.name)(command)


@app.command()
def ingest(
    recipe: Annotated[Path, typer.Argument(help="a recipe file (TOML); with --explain also a folder")],
    overrides: Overrides = None,
    explain: Annotated[
        bool, typer.Option(help="tell what would be read, every fault at once, and write nothing")
    ] = False,
) -> None:
    """Run the step `ingest` alone, or tell what it reads and what would come of it."""
    if not explain:
        _run(next(step for step in STEPS if step.name == "ingest"), read_recipe(recipe, overrides or ()))
        return
    from clinragen.ehr.explain import explained

    if recipe.is_dir():
        source = Source(kind="tables", path=str(recipe))
    else:
        source = read_recipe(recipe, overrides or ()).source
    for line in explained(source):
        typer.echo(line)


@app.command()
def teach(
    recipe: RecipePath,
    overrides: Overrides = None,
    dry_run: Annotated[bool, typer.Option(help="print what would be sent, and send nothing")] = False,
) -> None:
    """Run the step `teach` alone, or print exactly what it would send."""
    read = read_recipe(recipe, overrides or ())
    if not dry_run:
        _run(next(step for step in STEPS if step.name == "teach"), read)
        return
    from clinragen.teach.dry_run import would_be_sent

    with about(read_labels(read.cohort.labels)):
        for line in would_be_sent(read, run_folder(read)):
            typer.echo(line)


for _step in STEPS:
    if _step.name not in ("ingest", "teach"):
        _step_command(_step)


def _run(step: Step, recipe: Recipe) -> None:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(step.name, total=None)

        def progress(what: str, done: int, total: int) -> None:
            bar.update(task, description=f"{step.name}: {what}", completed=done, total=total)

        ran = run_step(step, recipe, progress)
        bar.update(
            task, description=f"{step.name}: {'done' if ran else 'complete, skipped'}", completed=1, total=1
        )


def _tell_results(recipe: Recipe) -> None:
    folder = run_folder(recipe)
    report = (folder / "evaluate" / "report.html").resolve()
    case = folder / "evaluate" / "cases"
    first = next(iter(sorted(case.glob("*.json"))), case)
    console.print(f"\nreport:  {report}", soft_wrap=True)
    console.print(f"try a case:  clinragen diagnose {folder} {first}", soft_wrap=True)


def _sections() -> list[str]:
    return [name for name, field in Recipe.model_fields.items() if _is_section(field.annotation)]


def _is_section(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _explain(name: str) -> None:
    from clinragen.recipe_file import recipe_keys

    model = Recipe.model_fields[name].annotation if name in Recipe.model_fields else Recipe
    recipe_keys(name)
    console.print(f"[bold]\\[{name}][/]" if name else "[bold]recipe[/]")
    for key, field in model.model_fields.items():  # type: ignore[union-attr]
        if not _is_section(field.annotation):
            default = "required" if field.is_required() else f"default {field.default!r}"
            console.print(f"  {key}  [dim]({default})[/]  {field.description}", soft_wrap=True)
