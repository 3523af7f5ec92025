"""Paper mode's reading of an answer: whatever a text names counts as the label it is most like.

A sentence encoder (the paper takes MiniLM) makes vectors of names; at a cosine of .9 a label is taken for
named. The default reads exactly instead: a threshold that makes errors disappear is no classifier.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import AutoModel, AutoTokenizer

from clinragen.clinical.answer import NO_DIAGNOSIS, PAPER_NO_DIAGNOSIS, compose_answer, named
from clinragen.clinical.diagnoses import diagnosis_names
from clinragen.errors import RecipeError
from clinragen.schema import Prediction

LEAST_COSINE = 0.9


class Matcher:
    """A sentence encoder: the mean of its last vectors, of length 1."""

    def __init__(self, folder: Path) -> None:
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
            self.model = AutoModel.from_pretrained(
                folder, use_safetensors=True, trust_remote_code=False
            ).eval()
        except (OSError, ValueError) as fault:
            raise RecipeError(
                f"evaluate.matching {str(folder)!r} cannot be loaded",
                expected="the folder of a sentence encoder with safetensors, such as all-MiniLM-L6-v2",
                found=str(fault).splitlines()[0],
            ) from None
        self.labels = self.vectors(diagnosis_names())

    @torch.no_grad()
    def vectors(self, texts: Sequence[str]) -> Float[Tensor, "text width"]:
        """One vector a text."""
        shown = self.tokenizer(list(texts), padding=True, return_tensors="pt")
        hidden = self.model(**shown).last_hidden_state
        counts = shown["attention_mask"].unsqueeze(-1)
        mean = (hidden * counts).sum(1) / counts.sum(1)
        found: Tensor = torch.nn.functional.normalize(mean, dim=-1)
        return found

    def labels_like(self, names: tuple[str, ...]) -> frozenset[str]:
        """The labels that some name is like enough; each name gives at most the one it is most like."""
        if not names:
            return frozenset()
        likeness, which = (self.vectors(names) @ self.labels.T).max(1)
        pairs = zip(likeness.tolist(), which.tolist(), strict=True)
        return frozenset(diagnosis_names()[label] for cosine, label in pairs if cosine >= LEAST_COSINE)


@cache
def matcher(folder: str) -> Matcher:
    """The encoder of a folder, loaded once."""
    return Matcher(Path(folder))


def matched(predictions: Sequence[Prediction], folder: str) -> list[Prediction]:
    """The same predictions, each name in an answer replaced by the label it is like, or left out."""
    return [_matched(prediction, matcher(folder)) for prediction in predictions]


def _matched(prediction: Prediction, by: Matcher) -> Prediction:
    names, note, series = named(prediction.text)
    if names is None:
        return prediction
    known = frozenset(names) & frozenset(diagnosis_names())
    others = tuple(name for name in names if name and name not in (*known, NO_DIAGNOSIS, PAPER_NO_DIAGNOSIS))
    chosen = known | by.labels_like(others)
    chances = {name: float(name in chosen) for name in diagnosis_names()}
    return replace(prediction, text=compose_answer(chosen, note, series), probabilities=chances)
