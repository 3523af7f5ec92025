"""Backbones: real models of transformers, made small, saved to folders and read like any other."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    BertConfig,
    BertModel,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    OPTConfig,
    OPTForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
    ViTConfig,
    ViTModel,
)

from clinragen.distill.loop import train
from clinragen.distill.stages import stages
from clinragen.errors import RecipeError
from clinragen.model.backbone import ADAPTER, IGNORED
from clinragen.model.backbones import pretrained
from clinragen.model.batch import examples
from clinragen.model.causal import CausalBackbone
from clinragen.model.checkpoint import load_student, save_student
from clinragen.model.generate import predict
from clinragen.model.rules import Rule
from clinragen.model.t5 import demo_t5, untie_head
from clinragen.recipe import Distill, Recipe
from model.small import SETTINGS, STAYS, TEXTS, small_student

CAUSAL = SETTINGS.model_copy(update={"backbone": "causal-demo"})
WORDS, WIDTH = 60, 16
SHAPE = {"vocab_size": WORDS, "hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2}
GROUPED = {**SHAPE, "intermediate_size": 32, "num_key_value_heads": 1, "head_dim": 8}
MARKS = {"bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0}


def llama() -> Any:
    return LlamaForCausalLM(LlamaConfig(**GROUPED, **MARKS, tie_word_embeddings=False))


FAMILIES = {
    "llama": llama,
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**GROUPED, **MARKS)),
    "gemma3": lambda: Gemma3ForCausalLM(Gemma3TextConfig(**GROUPED, **MARKS)),
    "opt": lambda: OPTForCausalLM(OPTConfig(**SHAPE, **MARKS, ffn_dim=32, word_embed_proj_dim=WIDTH)),
}


def from_folder(model: Any, folder: Path) -> CausalBackbone:
    torch.manual_seed(0)
    model.save_pretrained(folder)
    backbone = pretrained(SETTINGS.model_copy(update={"backbone": str(folder)}), WORDS)
    assert isinstance(backbone, CausalBackbone)
    return backbone.eval()


def settings_for(folder: Path) -> Any:
    return SETTINGS.model_copy(update={"backbone": str(folder)})


def padded(backbone: CausalBackbone) -> tuple[torch.Tensor, torch.Tensor]:
    """Three read places, with two masked ones between the second and the third."""
    vectors = torch.randn(1, 5, backbone.width)
    return vectors, torch.tensor([[True, True, False, False, True]])


@pytest.mark.parametrize("family", FAMILIES)
def test_masked_places_of_the_context_change_no_loss(family: str, tmp_path: Path) -> None:
    backbone = from_folder(FAMILIES[family](), tmp_path)
    vectors, mask = padded(backbone)
    target = torch.tensor([[5, 6, 7, 1]])
    whole = backbone.text_loss(vectors, mask, target)
    without = backbone.text_loss(vectors[:, mask[0]], mask[:, mask[0]], target)
    assert torch.allclose(whole, without, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_written_is_what_the_loss_finds_likeliest(family: str, tmp_path: Path) -> None:
    backbone = from_folder(FAMILIES[family](), tmp_path)
    vectors, mask = padded(backbone)
    written = backbone.write(vectors, mask, 4)
    assert written[0, 0] == backbone.start
    for place in range(1, written.shape[1]):
        losses = []
        for word in range(WORDS):
            target = written[:, 1 : place + 1].clone()
            target[0, -1] = word
            losses.append(backbone.text_loss(vectors, mask, target))
        assert int(torch.stack(losses).argmin()) == int(written[0, place])


def test_the_loss_of_a_text_does_not_depend_on_its_neighbours(tmp_path: Path) -> None:
    backbone = from_folder(llama(), tmp_path)
    vectors, mask = torch.randn(2, 3, WIDTH), torch.ones(2, 3).bool()
    target = torch.tensor([[5, 6, 7, 1], [8, 1, IGNORED, IGNORED]])
    both = backbone.text_loss(vectors, mask, target)
    first = backbone.text_loss(vectors[:1], mask[:1], target[:1])
    second = backbone.text_loss(vectors[1:], mask[1:], target[1:, :2])
    assert torch.allclose(6 * both, 4 * first + 2 * second, atol=1e-4)


def test_rules_of_writing_see_what_is_written_and_are_obeyed(tmp_path: Path) -> None:
    class CountsDown(Rule):
        seen: list[tuple[int, ...]] = []  # noqa: RUF012

        def allowed(self, stay: int, written: Sequence[int]) -> Sequence[int]:
            self.seen.append(tuple(written))
            return [9 - len(written)]

    backbone = from_folder(llama(), tmp_path)
    written = backbone.write(*padded(backbone), 3, rules=[CountsDown()]).tolist()[0]
    assert written == [backbone.start, 9, 8, 7]
    assert CountsDown.seen == [(), (9,), (9, 8)]


def test_a_causal_student_read_back_says_the_same(tmp_path: Path) -> None:
    student = small_student(CAUSAL)
    save_student(student, tmp_path)
    shown = examples(STAYS, [""] * 3, student.tokenizer, CAUSAL, 48)
    assert predict(student, shown, "m", 2) == predict(load_student(tmp_path), shown, "m", 2)


def recipe(**model: Any) -> Recipe:
    settings = CAUSAL.model_copy(update=model)
    return Recipe(
        name="t", model=settings, distill=Distill(batch=3, note_steps=2, series_steps=2, joint_steps=2)
    )


def test_a_causal_student_goes_through_all_three_stages(tmp_path: Path) -> None:
    student = small_student(CAUSAL)
    shown = examples(STAYS * 2, TEXTS * 2, student.tokenizer, CAUSAL, 48)
    log = train(student, stages(recipe()), shown, 0, tmp_path, 2)
    assert [row.stage for row in log] == ["note", "note", "series", "series", "joint", "joint"]


def test_of_a_language_model_with_adapters_they_alone_learn(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    settings = CAUSAL.model_copy(update={"lora_rank": 2})
    student = small_student(settings)
    before = {name: p.detach().clone() for name, p in student.backbone.named_parameters()}
    shown = examples(STAYS * 2, TEXTS * 2, student.tokenizer, settings, 48)
    train(student, stages(recipe(lora_rank=2)), shown, 0, tmp_path / "checkpoints", 2)
    changed = {n for n, p in student.backbone.named_parameters() if not torch.equal(p, before[n])}
    assert changed
    assert all(ADAPTER in name for name in changed)
    save_student(student, tmp_path / "student")
    again = load_student(tmp_path / "student")
    assert predict(student, shown[:3], "m", 2) == predict(again, shown[:3], "m", 2)


def test_a_t5_named_as_on_the_hub_keeps_its_own_head(tmp_path: Path) -> None:
    """From the hub's cache, offline; whatever its config says of ties, what was saved is what is loaded."""
    cached = tmp_path / "models--someone--flan"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("abc")
    made = demo_t5(SETTINGS, WORDS)
    head = torch.full((WORDS, SETTINGS.width), 0.25)
    untie_head(made.model, head)
    made.model.save_pretrained(cached / "snapshots" / "abc")
    config = cached / "snapshots" / "abc" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"tie_word_embeddings": True}))
    script = (
        "from clinragen.model.backbones import pretrained; from clinragen.recipe import Model;"
        "print(float(pretrained(Model(backbone='someone/flan'), 0).model.lm_head.weight.std()))"
    )
    offline = {**os.environ, "HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", script], env=offline, capture_output=True, text=True)
    assert done.stdout.strip() == "0.0", done.stderr[-1000:]


def test_a_model_that_cannot_write_is_one_clear_error(tmp_path: Path) -> None:
    BertModel(BertConfig(**SHAPE, intermediate_size=32)).save_pretrained(tmp_path)
    with pytest.raises(RecipeError, match=r"it lacks cls\.predictions"):
        pretrained(settings_for(tmp_path), WORDS)


def test_a_model_of_a_kind_that_is_not_known_is_one_clear_error(tmp_path: Path) -> None:
    ViTModel(ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2)).save_pretrained(tmp_path)
    with pytest.raises(RecipeError, match="model_type 'vit'"):
        pretrained(settings_for(tmp_path), WORDS)


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot be loaded"):
        pretrained(settings_for(tmp_path / "nothing"), WORDS)


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    model = llama()
    model.config.save_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(RecipeError, match="safetensors"):
        pretrained(settings_for(tmp_path), WORDS)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    llama().save_pretrained(tmp_path, max_shard_size="4KB")
    shards = sorted(tmp_path.glob("model-*.safetensors"))
    assert len(shards) > 1
    shards[0].unlink()
    with pytest.raises(RecipeError, match=shards[0].name):
        pretrained(settings_for(tmp_path), WORDS)


def test_weights_of_another_width_are_one_clear_error(tmp_path: Path) -> None:
    llama().save_pretrained(tmp_path)
    LlamaConfig(**{**GROUPED, "hidden_size": 32}, **MARKS).save_pretrained(tmp_path)
    with pytest.raises(RecipeError, match="cannot be loaded"):
        pretrained(settings_for(tmp_path), WORDS)


def short_sighted() -> Any:
    """A Gemma whose layers look three places back, most of them."""
    return Gemma3ForCausalLM(Gemma3TextConfig(**GROUPED, **MARKS, sliding_window=3))


@pytest.mark.parametrize("family", [*FAMILIES, "short-sighted"])
def test_a_text_that_goes_on_from_memory_teaches_the_same(family: str, tmp_path: Path) -> None:
    """What the head has read is not read again for the text: same loss, same gradients."""
    backbone = from_folder(FAMILIES.get(family, short_sighted)(), tmp_path)
    vectors, mask = padded(backbone)
    beside, target = torch.randn(1, 2, backbone.width), torch.tensor([[5, 6, 7, 1]])
    context, whole = torch.cat([vectors, beside], dim=1), torch.cat([mask, torch.ones(1, 2).bool()], dim=1)

    def taught(memory: Any) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
        head = backbone.encode(vectors, mask, memory)[mask].square().mean()
        loss = head + backbone.text_loss(context, whole, target, memory)
        backbone.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach(), [parameter.grad for parameter in backbone.parameters()]

    twice, once = taught(None), taught(backbone.memory())
    assert torch.allclose(twice[0], once[0], atol=1e-5)
    for before, after in zip(twice[1], once[1], strict=True):
        assert (before is None) == (after is None)
        assert before is None or after is None or torch.allclose(before, after, atol=1e-5)
