from dataclasses import replace
from pathlib import Path

import pytest
import torch

from clinragen.clinical.findings import STATES
from clinragen.errors import RunError
from clinragen.model.backbone import Backbone
from clinragen.model.backbones import BACKBONES, pretrained
from clinragen.model.batch import collate, examples
from clinragen.model.checkpoint import load_student, save_student
from clinragen.model.generate import facts_used, predict
from clinragen.model.knowledge_attention import FactAttention
from clinragen.model.t5 import demo_t5, has_own_head, untie_head
from model.small import SETTINGS, STAYS, logits, small_batch, small_student

FORMS = ["facts", "tokens"]


@pytest.mark.parametrize("attention", FORMS)
def test_padding_and_the_order_of_a_batch_change_nothing(attention: str) -> None:
    student = small_student(SETTINGS.model_copy(update={"attention": attention}))
    together = logits(student, small_batch(student))
    for i, alone in enumerate(STAYS):
        assert torch.allclose(logits(student, small_batch(student, [alone], [""]))[0], together[i], atol=1e-5)
    turned = logits(student, small_batch(student, STAYS[::-1], [""] * 3))
    assert torch.allclose(turned.flip(0), together, atol=1e-5)


def test_values_of_hours_in_which_nothing_was_measured_are_masked() -> None:
    student = small_student()
    batch = small_batch(student)
    unmeasured = ~batch.has_series[:, None, :].expand_as(batch.values)
    disturbed = replace(batch, values=batch.values.masked_fill(unmeasured, 99.0))
    assert torch.allclose(logits(student, batch), logits(student, disturbed), atol=1e-5)


def test_a_pseudo_token_is_what_a_perfect_encoder_would_give() -> None:
    student = small_student()
    batch = small_batch(student)
    attention = student.attention
    assert isinstance(attention, FactAttention)
    wanted = attention.target_attention(batch.states)
    assert torch.allclose(wanted.sum(-1), torch.ones_like(wanted[..., 0]))
    lactate = student.rows.variables.index("lactate")
    fact = len(STATES) + student.rows.fact_ids.index("f1")
    assert wanted[0, lactate, fact] == pytest.approx(0.15)


def test_a_variable_attends_to_states_and_its_own_facts_only() -> None:
    student = small_student()
    attention = student.read_series(small_batch(student)).attention
    assert attention is not None
    lactate = student.rows.variables.index("lactate")
    foreign = len(STATES) + student.rows.fact_ids.index("f2")
    assert attention[0, lactate, foreign] == 0


def test_facts_used_name_the_variable_they_came_from() -> None:
    student = small_student()
    shown = examples(STAYS[:1], [""], student.tokenizer, SETTINGS, 48)[0]
    assert {use.variable for use in facts_used(student, shown)} <= {"lactate"}


def test_the_token_bag_cannot_say_which_fact_it_used() -> None:
    student = small_student(SETTINGS.model_copy(update={"attention": "tokens"}))
    shown = examples(STAYS[:1], [""], student.tokenizer, SETTINGS, 48)[0]
    assert facts_used(student, shown) == []


@pytest.mark.parametrize("series_as", ["tokens", "text", "both"])
def test_a_student_read_back_says_the_same(tmp_path: Path, series_as: str) -> None:
    settings = SETTINGS.model_copy(update={"series_as": series_as})
    student = small_student(settings)
    student.operating_point.fill_(0.35)
    save_student(student, tmp_path)
    shown = examples(STAYS, [""] * 3, student.tokenizer, settings, 48)
    again = load_student(tmp_path)
    assert predict(student, shown, "m", 2) == predict(again, shown, "m", 2)
    assert float(again.operating_point) == pytest.approx(0.35)


def test_a_folder_without_a_student_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no trained student"):
        load_student(tmp_path)


def test_an_output_head_of_its_own_survives_loading_and_saving(tmp_path: Path) -> None:
    """Flan-T5 has one; transformers 5 would tie it to the embeddings."""
    made = demo_t5(SETTINGS, 50)
    head = torch.randn_like(made.model.shared.weight)
    untie_head(made.model, head)
    made.model.save_pretrained(tmp_path)
    loaded = pretrained(SETTINGS.model_copy(update={"backbone": str(tmp_path)}), 50)
    assert has_own_head(loaded)
    assert torch.equal(loaded.model.lm_head.weight, head)
    assert not torch.equal(loaded.model.lm_head.weight, loaded.model.shared.weight)


@pytest.mark.parametrize("name", [name for name, row in BACKBONES.items() if row.tokenizer is None])
def test_every_backbone_ignores_masked_places(name: str) -> None:
    torch.manual_seed(0)
    backbone: Backbone = BACKBONES[name].build(SETTINGS, 50)
    vectors, mask = torch.randn(1, 5, backbone.width), torch.tensor([[True, True, True, False, False]])
    short = backbone.encode(vectors[:, :3], mask[:, :3])
    assert torch.allclose(backbone.encode(vectors, mask)[:, :3], short, atol=1e-5)


def test_the_series_reaches_the_probabilities() -> None:
    student = small_student()
    torch.nn.init.normal_(student.head.score)
    a, b = (
        small_batch(student, [STAYS[0]], [""]),
        small_batch(student, [replace_note(STAYS[1], STAYS[0].note)], [""]),
    )
    assert not torch.allclose(logits(student, a), logits(student, b))


def replace_note(stay, note):  # type: ignore[no-untyped-def]
    return replace(stay, note=note)


def test_collate_keeps_the_order_of_stays() -> None:
    student = small_student()
    assert collate(examples(STAYS, [""] * 3, student.tokenizer, SETTINGS, 48)).stay_ids == ("a", "b", "c")


def test_a_fresh_decoder_hands_on_what_it_attends_to() -> None:
    attention = small_student().backbone.model.decoder.block[0].layer[1].EncDecAttention
    seen = torch.randn(3, SETTINGS.width)
    assert torch.allclose(attention.o(attention.v(seen)), seen, atol=1e-5)
    likeness = attention.q(seen) @ attention.k(seen).T
    assert (likeness.diagonal() > 0).all()
