"""A Hugging Face model on this machine: loaded from safetensors only, and asked batch by batch.

No code of a model's authors is run. What a batch is answered depends on the batch alone.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clinragen.endpoint.completions import both, encodable
from clinragen.endpoint.ledger import Answer
from clinragen.endpoint.question import Message, Question, repaired
from clinragen.errors import TeacherError
from clinragen.teach.prompt import Prompt, prompt, repair_text
from clinragen.teach.replies import is_readable

Batch = tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model with its tokenizer; `is_causal` models repeat the question before their answer."""

    model: Any
    tokenizer: Any
    is_causal: bool


def load(name: str) -> Loaded:
    """Load a model by local path or name, safetensors only, without its authors' code."""
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

    try:
        config = AutoConfig.from_pretrained(name, trust_remote_code=False)
        kind = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        model = kind.from_pretrained(name, use_safetensors=True, trust_remote_code=False)
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False, padding_side="left")
    except (OSError, ValueError) as fault:
        raise TeacherError(
            f"cannot load the model {name}",
            expected="a folder, or a name on the hub, with a model in safetensors and its tokenizer",
            found=str(fault).splitlines()[0],
            fix="set teach.model",
        ) from None
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Loaded(model.eval().to(_device()), tokenizer, not config.is_encoder_decoder)


def answer(loaded: Loaded, batch: Sequence[Question], prompt_id: str) -> list[Answer]:
    """The answers to a batch; those that cannot be read are asked for once more."""
    asked = prompt(prompt_id)
    answers = _answers(loaded, batch, asked)
    again = [place for place, found in enumerate(answers) if found.status == "malformed"]
    if again:
        mended = [repaired(batch[place], answers[place].reply, repair_text()) for place in again]
        for place, second in zip(again, _answers(loaded, mended, asked), strict=True):
            answers[place] = both(answers[place], second)
    return answers


def generate(loaded: Loaded, batch: Sequence[Question]) -> list[tuple[str, int, int]]:
    """For each question the text written, and how many tokens were read and written."""
    import torch

    texts = [_as_text(loaded.tokenizer, question.messages) for question in batch]
    shown = loaded.tokenizer(
        texts, return_tensors="pt", padding=True, add_special_tokens=not loaded.is_causal
    )
    shown = {name: shown[name].to(loaded.model.device) for name in ("input_ids", "attention_mask")}
    torch.manual_seed(int(batch[0].key[:15], 16))
    with torch.inference_mode():
        made = loaded.model.generate(**shown, **_generation(loaded, batch[0]))
    made = made[:, shown["input_ids"].shape[1] :] if loaded.is_causal else made
    pad = loaded.tokenizer.pad_token_id
    return [
        (encodable(text), int(read.sum()), int((ids != pad).sum()))
        for text, read, ids in zip(
            loaded.tokenizer.batch_decode(made, skip_special_tokens=True),
            shown["attention_mask"],
            made,
            strict=True,
        )
    ]


def _answers(loaded: Loaded, batch: Sequence[Question], asked: Prompt) -> list[Answer]:
    began = time.monotonic()
    made = generate(loaded, batch)
    seconds = (time.monotonic() - began) / len(batch)
    return [
        Answer("answered" if is_readable(text, asked) else "malformed", text, 1, read, written, seconds)
        for text, read, written in made
    ]


def _generation(loaded: Loaded, question: Question) -> dict[str, Any]:
    temperature = float(question.settings["temperature"])
    drawn = (
        {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature else {"do_sample": False}
    )
    return {
        "max_new_tokens": int(question.settings["max_tokens"]),
        "pad_token_id": loaded.tokenizer.pad_token_id,
        **drawn,
    }


def _as_text(tokenizer: Any, messages: Sequence[Message]) -> str:
    """The chat as the model was trained to read it, or plainly where it was not trained on chats."""
    if getattr(tokenizer, "chat_template", None):
        return str(tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True))
    return "\n\n".join(message["content"] for message in messages) + "\n\n"


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
