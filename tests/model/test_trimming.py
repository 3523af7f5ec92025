"""Trimming a pretrained model's words: the texts it was trimmed to are read and weighed as before."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PhiConfig,
    PhiForCausalLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from clinragen.errors import RecipeError
from clinragen.model.backbone import Backbone
from clinragen.model.backbones import built, described, rebuilt
from clinragen.model.batch import examples
from clinragen.model.checkpoint import load_student, new_student, save_student
from clinragen.model.generate import predict
from clinragen.model.t5 import T5Backbone, untie_head
from clinragen.model.text import pieces
from clinragen.model.trimming import trimmed
from model.small import FACTS, SETTINGS, STAYS, TEXTS

NOTES = [*(stay.note for stay in STAYS), *TEXTS]
OTHERS = ["Wheezing badly; peak flow 210 L/min.", "Übelkeit seit gestern", "serum lithium 1.4"]
MARKS = ["<pad>", "</s>", "<unk>"]


def tokenizer(kind: str) -> PreTrainedTokenizerFast:
    """Byte pairs over bytes as Qwen has them, or a unigram vocabulary as T5 has it."""
    if kind == "BPE":
        core = Tokenizer(models.BPE())
        core.pre_tokenizer, core.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=MARKS, initial_alphabet=alphabet)
    else:
        core = Tokenizer(models.Unigram())
        core.pre_tokenizer, core.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
        letters = [chr(code) for code in range(33, 127)]
        trainer = trainers.UnigramTrainer(
            vocab_size=400, special_tokens=MARKS, unk_token="<unk>", initial_alphabet=letters
        )
    core.train_from_iterator([*NOTES, *OTHERS] * 9, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


WHOLE = {kind: tokenizer(kind) for kind in ("BPE", "Unigram")}


@pytest.mark.parametrize("kind", WHOLE)
@settings(max_examples=40, deadline=None)
@given(chosen=st.sets(st.sampled_from(NOTES), min_size=1))
def test_the_texts_it_was_trimmed_to_are_cut_as_before(kind: str, chosen: set[str]) -> None:
    small, kept = trimmed(WHOLE[kind], chosen)
    assert len(small) == len(kept) < len(WHOLE[kind])
    for text in chosen:
        assert [kept[piece] for piece in pieces(small, text)] == pieces(WHOLE[kind], text)


@pytest.mark.parametrize("text", OTHERS)
def test_other_texts_are_cut_smaller_and_lose_nothing(text: str) -> None:
    small, _ = trimmed(WHOLE["BPE"], NOTES[:1])
    cut = pieces(small, text)
    assert small.decode(cut).strip() == text
    assert len(cut) >= len(pieces(WHOLE["BPE"], text))


def test_a_tokenizer_of_another_kind_is_one_clear_error() -> None:
    words = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    )
    with pytest.raises(RecipeError, match="WordPiece"):
        trimmed(words, ["a"])


def llama(words: int, **more: Any) -> LlamaForCausalLM:
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    marks = {"bos_token_id": None, "pad_token_id": 0, "eos_token_id": 1}
    return LlamaForCausalLM(LlamaConfig(vocab_size=words, **shape, **marks, **more))


def biased(words: int) -> PhiForCausalLM:
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    marks = {"bos_token_id": None, "pad_token_id": 0, "eos_token_id": 1}
    model = PhiForCausalLM(PhiConfig(vocab_size=words, **shape, **marks))
    torch.nn.init.normal_(model.lm_head.bias)
    return model


def own_head(words: int) -> T5ForConditionalGeneration:
    shape = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2}
    model = T5ForConditionalGeneration(T5Config(vocab_size=words, decoder_start_token_id=0, **shape))
    untie_head(model, torch.randn(words, 16))
    return model


def saved(model: Any, folder: Path) -> str:
    torch.manual_seed(0)
    model.save_pretrained(folder)
    WHOLE["BPE"].save_pretrained(folder)
    return str(folder)


BACKBONES = {
    "tied": lambda: llama(len(WHOLE["BPE"]), tie_word_embeddings=True),
    "untied": lambda: llama(len(WHOLE["BPE"]), tie_word_embeddings=False),
    "biased": lambda: biased(len(WHOLE["BPE"])),
    "t5": lambda: own_head(len(WHOLE["BPE"])),
}


@pytest.mark.parametrize("name", BACKBONES)
def test_the_words_that_stay_are_weighed_as_before(name: str, tmp_path: Path) -> None:
    asked = SETTINGS.model_copy(update={"backbone": saved(BACKBONES[name](), tmp_path)})
    small, kept = trimmed(WHOLE["BPE"], NOTES)
    whole, part = built(asked, len(WHOLE["BPE"])).eval(), built(asked, len(small), kept).eval()
    target = torch.tensor([[*pieces(small, NOTES[0])[:9], int(small.eos_token_id)]])
    vectors, mask = torch.randn(1, 3, 16), torch.ones(1, 3).bool()
    before: torch.Tensor = whole.words(vectors, mask, torch.tensor(kept)[target])
    after: torch.Tensor = part.words(vectors, mask, target)
    assert torch.allclose(after, before[:, kept], atol=1e-5)
    assert written(part, vectors) == written_again(part, asked, vectors)


def written(backbone: Backbone, vectors: torch.Tensor) -> list[int]:
    found: list[int] = backbone.write(vectors, torch.ones(1, 3).bool(), 5)[0].tolist()
    return found


def written_again(backbone: Backbone, asked: Any, vectors: torch.Tensor) -> list[int]:
    """What the same backbone writes when it is built again from what a checkpoint keeps."""
    kept = json.loads(json.dumps(described(backbone)))
    again = rebuilt(kept, asked).eval()
    again.load_state_dict(backbone.state_dict())
    assert isinstance(again, T5Backbone) == isinstance(backbone, T5Backbone)
    return written(again, vectors)


def test_a_trimmed_student_read_back_says_the_same(tmp_path: Path) -> None:
    backbone = saved(BACKBONES["tied"](), tmp_path / "backbone")
    asked = SETTINGS.model_copy(update={"backbone": backbone, "trim_vocabulary": True})
    student = new_student(asked, FACTS, NOTES, 48, seed=0)
    assert len(student.tokenizer) < len(WHOLE["BPE"])
    save_student(student, tmp_path / "student")
    shown = examples(STAYS, [""] * len(STAYS), student.tokenizer, asked, 48)
    assert predict(student, shown, "m", 2) == predict(load_student(tmp_path / "student"), shown, "m", 2)
