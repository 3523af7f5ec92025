"""A model of entailment from a local folder: how surely a sentence says what another claims, or its opposite.

Any sequence-classification model of transformers whose labels name entailment will do. Nothing is fetched, no
code of its authors is run, and its weights are safetensors only.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from clinragen.errors import CheckerError

ENTAILS = frozenset({"entailment", "entails", "entail"})
CONTRADICTS = frozenset({"contradiction", "contradicts", "contradict"})
WEIGHTS, SHARDS = "model.safetensors", "model.safetensors.index.json"
LONGEST = 256
"""Tokens of a premise and a hypothesis together; the end of a longer premise is cut."""
BATCH = 32
DIGITS = 6
"""Probabilities are rounded, so that no threshold hangs on the last bits of a sum."""
_SET = "set grounding.model (or --model) to a local folder that holds such a model"


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model as its files describe it: the files of its weights, and the places of the labels asked for.

    `contradiction` is None where the model has no such label; it then contradicts nothing.
    """

    path: Path
    weights: tuple[Path, ...]
    entailment: int
    contradiction: int | None


@dataclass(frozen=True, slots=True)
class EntailmentModel:
    """A loaded model, with the name of its folder and the first digits of the sha256 of its weights."""

    name: str
    sha256: str
    folder: ModelFolder
    network: Any
    tokenizer: Any
    longest: int

    def probabilities(self, premises: Sequence[str], hypothesis: str) -> Float[np.ndarray, "premise 2"]:
        """For each premise the probability that it entails the hypothesis, and that it contradicts it.

        All are 0 for a hypothesis so long that no room is left for a premise.
        """
        if 2 * len(self.tokenizer(hypothesis)["input_ids"]) > self.longest:
            return np.zeros((len(premises), 2))
        batches = [premises[start : start + BATCH] for start in range(0, len(premises), BATCH)]
        found = [self._of_batch(batch, hypothesis) for batch in batches]
        return np.concatenate([np.zeros((0, 2)), *found])

    def _of_batch(self, premises: Sequence[str], hypothesis: str) -> Float[np.ndarray, "premise 2"]:
        import torch

        shown = self.tokenizer(
            list(premises),
            [hypothesis] * len(premises),
            padding=True,
            truncation="only_first",
            max_length=self.longest,
            return_tensors="pt",
        )
        with torch.inference_mode():
            chances = self.network(**shown).logits.softmax(-1).double().numpy().round(DIGITS)
        against = self.folder.contradiction
        nothing = np.zeros(len(premises))
        return np.stack(
            [chances[:, self.folder.entailment], nothing if against is None else chances[:, against]], axis=1
        )


def model_folder(path: str) -> ModelFolder:
    """Read what a folder holds, without loading it; raises CheckerError where it is no such model."""
    folder = Path(path)
    if not (folder / "config.json").is_file():
        raise CheckerError(
            f"no entailment model in {path}",
            expected="a local folder with config.json, model.safetensors and a tokenizer",
            found="no config.json there" if folder.is_dir() else "no such folder",
            fix=_SET,
        )
    labels = _labels(folder / "config.json")
    entailment = next((place for place, name in labels.items() if name in ENTAILS), None)
    if entailment is None or len(labels) < 2:
        raise CheckerError(
            f"the model in {path} does not tell entailment",
            expected="a label named `entailment` among two or more in id2label of its config.json",
            found=", ".join(labels.values()) or "no labels",
            fix=_SET,
        )
    contradiction = next((place for place, name in labels.items() if name in CONTRADICTS), None)
    return ModelFolder(folder, _weights(folder), entailment, contradiction)


@lru_cache(maxsize=1)
def load(path: str) -> EntailmentModel:
    """Load a model on the CPU in 32 bits, once in a process; raises CheckerError where it cannot be."""
    folder = model_folder(path)
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    local = {"local_files_only": True, "trust_remote_code": False}
    try:
        network, told = AutoModelForSequenceClassification.from_pretrained(
            path, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **local
        )
        tokenizer = AutoTokenizer.from_pretrained(path, **local)
    except (OSError, ValueError, RuntimeError) as fault:
        raise _cannot_load(path, str(fault).splitlines()[0]) from None
    if missing := sorted(told["missing_keys"]):
        raise _cannot_load(path, f"no weights for {', '.join(missing)}")
    if tokenizer.pad_token is None:
        raise _cannot_load(path, "a tokenizer without a padding token")
    positions = getattr(network.config, "max_position_embeddings", None) or LONGEST + 2
    return EntailmentModel(
        name=folder.path.resolve().name,
        sha256=_sha256(folder.weights)[:12],
        folder=folder,
        network=network.eval(),
        tokenizer=tokenizer,
        longest=min(LONGEST, positions - 2),  # some models keep two positions for themselves
    )


def _labels(config: Path) -> dict[int, str]:
    """The labels by their place, as small letters; none where the file cannot be read so."""
    try:
        named = json.loads(config.read_text(encoding="utf-8")).get("id2label", {})
        return {int(place): str(name).strip().lower() for place, name in named.items()}
    except (ValueError, AttributeError):
        return {}


def _weights(folder: Path) -> tuple[Path, ...]:
    """The files of the weights, in the order of their names."""
    if (folder / WEIGHTS).is_file():
        return (folder / WEIGHTS,)
    if (folder / SHARDS).is_file():
        named = json.loads((folder / SHARDS).read_text(encoding="utf-8"))["weight_map"].values()
        return tuple(folder / name for name in sorted(set(named)))
    raise CheckerError(
        f"the weights in {folder} are not safetensors",
        expected=f"{WEIGHTS}, or {SHARDS} with its parts",
        found=", ".join(sorted(each.name for each in folder.iterdir())),
        fix="save the model with save_pretrained, which writes safetensors; pickled weights are never read",
    )


def _sha256(files: Sequence[Path]) -> str:
    """The hash of the files one after the other: of a single file its own."""
    found = hashlib.sha256()
    for path in files:
        with path.open("rb") as weights:
            while block := weights.read(1 << 20):
                found.update(block)
    return found.hexdigest()


def _cannot_load(path: str, found: str) -> CheckerError:
    return CheckerError(
        f"cannot load the entailment model in {path}",
        expected="a sequence-classification model in safetensors with its tokenizer, without code of its own",
        found=found,
        fix=_SET,
    )
