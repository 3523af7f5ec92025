"""A file of labels of one's own: what it may hold, and every fault of it at once."""

import pytest

from clinragen.clinical.label_file import read_labels
from clinragen.errors import RecipeError
from clinragen.labels import STANDARD, Diagnosis

GOOD = """
[[label]]
name = "delirium"
title = "Delirium"
synonyms = ["acute confusion"]
icd9 = ["293.0"]
icd10 = ["f05"]
[[label]]
name = "heart failure"
title = "Congestive heart failure"
ccs = [108]
[[label]]
name = "dialysis"
title = "Dialysis"
meds = ["PROCEDURE//dialysis"]
"""


def written(tmp_path, text: str) -> str:
    path = tmp_path / "labels.toml"
    path.write_text(text)
    return str(path)


def test_labels_are_read_in_their_order_and_codes_as_the_tables_write_them(tmp_path):
    assert read_labels(written(tmp_path, GOOD)) == (
        Diagnosis("delirium", "Delirium", ("acute confusion",), icd9=("2930",), icd10=("F05",)),
        Diagnosis("heart failure", "Congestive heart failure", ccs=(108,)),
        Diagnosis("dialysis", "Dialysis", meds=("PROCEDURE//dialysis",)),
    )


def test_no_file_means_the_labels_of_the_package():
    assert read_labels("") is STANDARD


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no labels"),
        ("label = 1", "holds no labels"),
        ("[[label", "cannot read the labels"),
        ('[[label]]\nname = "x"\nccs = [108]', "title must be a text"),
        ('[[label]]\nname = "x"\ntitle = "X"', "nothing means it"),
        ('[[label]]\nname = "x"\ntitle = "X"\nccs = ["108"]', "ccs must be a list of numbers"),
        ('[[label]]\nname = "x"\ntitle = "X"\nccs = [99999]', "no group 99999 in the CCS tables"),
        ('[[label]]\nname = "x"\ntitle = "X"\nicd9 = [4280]', "icd9 must be a list of texts"),
        ('[[label]]\nname = "x"\ntitle = "X"\nicd9 = [""]', "icd9 must be a list of texts"),
        ('[[label]]\nname = "x"\ntitle = "X"\nicd = ["4280"]', "unknown key 'icd'"),
        ('[[label]]\nname = "x"\ntitle = "X"\nmeds = ["INFUSION//x"]', "must begin with one of PROCEDURE//"),
        ('[[label]]\nname = "x; y"\ntitle = "X"\nccs = [108]', "cannot be a name"),
        ('[[label]]\nname = "none"\ntitle = "X"\nccs = [108]', "cannot be a name"),
        (GOOD + '[[label]]\nname = "Delirium"\ntitle = "X"\nccs = [108]', "'delirium' names several labels"),
    ],
)
def test_a_faulty_file_is_told_with_what_is_wrong(tmp_path, text, told):
    with pytest.raises(RecipeError, match=told):
        read_labels(written(tmp_path, text))


def test_all_faults_are_told_at_once(tmp_path):
    text = '[[label]]\nname = "x"\ncss = [1]\n[[label]]\nname = "none"\ntitle = "N"\nccs = [108]'
    with pytest.raises(RecipeError) as fault:
        read_labels(written(tmp_path, text))
    assert all(
        told in str(fault.value) for told in ("label 1: unknown key 'css'", "label 1: title", "label 2:")
    )


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(RecipeError, match="cannot read the labels"):
        read_labels(str(tmp_path / "nowhere.toml"))
