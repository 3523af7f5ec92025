"""Bad input gets one clear error and no traceback."""

import subprocess
import sys
from pathlib import Path

import pytest


def clinragen(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from clinragen.cli import main; main()", *arguments]
    return subprocess.run(command, text=True, capture_output=True, timeout=120)


def recipe(folder: Path, text: str) -> str:
    path = folder / "r.toml"
    path.write_text(f'name = "x"\nruns = "{folder}/runs"\n{text}')
    return str(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[cohort]\nhuors = 3", "did you mean 'hours'"),
        ('[source]\nkind = "mimic3"\npath = "nowhere"', "nowhere"),
        ('[source]\nkind = "eicu"', "source.path"),
        ("[source]\nstays = 40\n[cohort]\nmin_measurements = 100000", "CohortError"),
    ],
)
def test_a_recipe_that_cannot_work_says_why(tmp_path: Path, text: str, told: str) -> None:
    done = clinragen("run", recipe(tmp_path, text))
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "content", ["", "[1, 2]", '{"case_id": 3}', '{"case_id": "a", "prediction_time": "soon"}']
)
def test_a_broken_case_file_says_why(tmp_path: Path, content: str) -> None:
    path = tmp_path / "case.json"
    path.write_text(content)
    done = clinragen("check", str(path))
    assert done.returncode == 2
    assert "CaseError" in done.stderr
    assert "case.json" in done.stderr.replace("\n", "")


def test_a_check_with_a_model_that_is_not_there_says_why(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text('{"case_id": "a", "prediction_time": "2130-01-02", "note": "", "rationale": "Bees."}')
    done = clinragen("check", str(path), "--model", str(tmp_path / "nowhere"))
    assert done.returncode == 2
    assert "CheckerError" in done.stderr and "no such folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_check_by_rules_imports_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; import clinragen.grounding.checker as c; c.Checker(); "
        "print('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert done.stdout.strip() == "False"


def test_help_needs_no_torch() -> None:
    code = "import sys; import clinragen.cli; print('torch' in sys.modules or 'transformers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert done.stdout.strip() == "False"
