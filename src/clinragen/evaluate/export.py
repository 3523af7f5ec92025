"""A student to be used elsewhere: weights, tokenizer, recipe, label table, facts, and a card of its scores.

A student whose text does not follow the numbers it is shown is refused: it would name diagnoses from the
note and claim to have read the series.
"""

import csv
import io
import shutil
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from clinragen.clinical.diagnoses import standard
from clinragen.errors import RunError
from clinragen.evaluate.report.numbers import cell, signed
from clinragen.evaluate.scores import Scores, read_scores
from clinragen.labels import Diagnosis, LabelSet
from clinragen.model.checkpoint import labels_of, load_student
from clinragen.model.student import Student
from clinragen.store import MANIFEST, read_json, write_json, write_text

LEAST_SWAP = 0.95
"""The share of series claims that must follow a series put in place of the stay's own."""
SWAP = "held_out/rationale/swap_follows"
PROVENANCE = "provenance.json"
CARD = "README.md"
FIGURES = (
    ("micro-F1 of the text", "held_out/diagnosis/micro_f1"),
    ("micro-F1, difference to the joined plain baseline", "difference/student_vs_tfidf_gbdt/micro_f1"),
    ("micro-AUROC of the probabilities", "held_out/probabilities/micro_auroc"),
    ("calibration error (ECE) of the probabilities", "held_out/probabilities/ece"),
    ("recall where only the series shows the diagnosis", "held_out/recall/series_only"),
    ("claims about the series that the chart supports", "held_out/rationale/series_supported"),
    ("series claims that follow another stay's series put in", SWAP),
    ("the checker's own strict micro-F1 on plain labelled claims", "checker/plain/strict_micro_f1"),
)


def export_run(run: Path, folder: Path, even_so: bool = False) -> None:
    """Write the checkpoint of an evaluated run to a new folder.

    Raises RunError where the run is not complete, the folder is there, or the swap test falls short.
    """
    if not (run / "evaluate" / MANIFEST).exists():
        raise RunError(f"{run} is not evaluated", fix="run `clinragen run RECIPE` first")
    if folder.exists():
        raise RunError(f"{folder} is there already", fix="name a new folder")
    scores = read_scores(run / "evaluate" / "metrics.json")
    swap = scores[SWAP].value if SWAP in scores else None
    falls_short = swap is None or not swap >= LEAST_SWAP
    if falls_short and not even_so:
        raise RunError(
            "the student's text does not follow the series it is shown, so its reasons cannot be trusted",
            expected=f"a swap score of at least {LEAST_SWAP}",
            found="none" if swap is None else f"{swap:.3f}",
            fix="train longer, or export it even so, with a warning in its card (--even-so)",
        )
    draft = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(run / "distill" / "student", draft)
    shutil.copy(run / "knowledge" / "facts.jsonl", draft / "facts.jsonl")
    write_text(draft / "labels.csv", label_table(labels_of(draft) or standard()))
    write_json(draft / PROVENANCE, provenance(run))
    write_text(draft / CARD, card(scores, provenance(run), falls_short))
    draft.rename(folder)


def label_table(labels: LabelSet) -> str:
    """The labels as CSV, several synonyms or codes of one joined by `|`."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(field.name for field in fields(Diagnosis))
    for label in labels:
        table.writerow(
            "|".join(map(str, cell)) if isinstance(cell, tuple) else cell for cell in astuple(label)
        )
    return out.getvalue()


def provenance(run: Path) -> dict[str, Any]:
    """Where a student comes from: the recipe of every step, versions of code and facts, counts."""
    manifests = {path.parent.name: read_json(path) for path in sorted(run.glob(f"*/{MANIFEST}"))}
    recipe: dict[str, Any] = {}
    for manifest in manifests.values():
        recipe |= manifest["recipe"]
    return {
        "run": run.name,
        "version": manifests["distill"]["version"],
        "seed": manifests["distill"]["seed"],
        "recipe": recipe,
        "knowledge": manifests["knowledge"]["counts"],
        "cohort": manifests["cohort"]["counts"],
        "student": manifests["distill"]["counts"],
        "evaluated": manifests["evaluate"]["counts"],
    }


def card(scores: Scores, origin: dict[str, Any], falls_short: bool) -> str:
    """The model card, in the form hubs show; every number is of the run."""
    loader = PackageLoader("clinragen.evaluate.report")
    templates = Environment(
        loader=loader, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    figures = [
        (title, cell(scores[name], signed) if name.startswith("difference/") else cell(scores[name]))
        for title, name in FIGURES
        if name in scores
    ]
    return templates.get_template("card.md.j2").render(
        figures=figures, origin=origin, falls_short=falls_short, least_swap=LEAST_SWAP
    )


def from_pretrained(name: str, revision: str | None = None) -> Student:
    """A student from a folder that `export_run` wrote, or from a repository of the Hugging Face hub."""
    if Path(name).is_dir():
        return load_student(Path(name))
    from huggingface_hub import snapshot_download

    kinds = ["*.safetensors", "*.json", "*.jsonl", "*.csv", "*.md"]
    return load_student(Path(snapshot_download(name, revision=revision, allow_patterns=kinds)))


def push_to_hub(folder: Path, repository: str, agreement: str = "") -> str:
    """Send an exported checkpoint to the hub, as a private repository; returns its address.

    Weights and tokenizer hold traces of the notes they learnt from. Raises RunError where these were
    credentialed and no agreement that permits sharing is named.
    """
    if read_json(folder / PROVENANCE)["recipe"]["source"]["credentialed"] and not agreement:
        raise RunError(
            "this student learnt from credentialed records; its weights and tokenizer hold traces of them",
            expected="the agreement under which it may be shared (--agreement)",
            fix="share it as the data are shared, for instance through the archive they came from",
        )
    from huggingface_hub import HfApi

    hub = HfApi()
    hub.create_repo(repository, private=True, exist_ok=True)
    return str(hub.upload_folder(repo_id=repository, folder_path=folder))
