"""Which language models there are: BACKBONES is the plug point, by name for the demo, by path for real ones.

Any T5 and any decoder-only model of transformers fits. Only safetensors are loaded (or a GGUF file, which is
weights alone as well), and never remote code.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PretrainedConfig,
    T5Config,
    T5ForConditionalGeneration,
)

from clinragen.errors import RecipeError
from clinragen.model.backbone import Backbone
from clinragen.model.causal import CausalBackbone, demo_causal
from clinragen.model.t5 import demo_t5, has_own_head, loaded_t5, rebuilt_t5
from clinragen.recipe import Model

EXPECTED = "t5-demo, causal-demo, or a folder or hub name of a T5 or decoder-only model with safetensors"


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the plug table: how to build the model; `tokenizer` is None if it is to be trained."""

    build: Callable[[Model, int], Backbone]
    tokenizer: Callable[[Model], Any] | None


def pretrained(settings: Model, _: int) -> Backbone:
    """A T5 or decoder-only model by hub name, folder or GGUF file; RecipeError if it is not one."""
    config = _told(settings, lambda **source: AutoConfig.from_pretrained(**source, trust_remote_code=False))
    if isinstance(config, T5Config):
        model = _told(settings, _weights_of(T5ForConditionalGeneration))
        return loaded_t5(model, _folder(settings.backbone))
    if config.is_encoder_decoder or type(config) not in AutoModelForCausalLM._model_mapping:
        raise RecipeError(
            f"model.backbone {settings.backbone!r} is of a kind that is not known",
            expected=EXPECTED,
            found=f"model_type {config.model_type!r}",
        )
    return _causal(_told(settings, _weights_of(AutoModelForCausalLM)))


def pretrained_tokenizer(settings: Model) -> Any:
    """The tokenizer that comes with a backbone."""
    return _told(settings, lambda **source: AutoTokenizer.from_pretrained(**source, trust_remote_code=False))


def _weights_of(kind: Any) -> Callable[..., Any]:
    def load(gguf_file: str | None = None, **source: str) -> Any:
        trust = {"gguf_file": gguf_file} if gguf_file else {"use_safetensors": True}
        model, told = kind.from_pretrained(
            **source, **trust, trust_remote_code=False, dtype="float32", output_loading_info=True
        )
        if told["missing_keys"]:
            raise ValueError(f"no weights of a language model: it lacks {sorted(told['missing_keys'])[0]}")
        return model

    return load


def _told(settings: Model, load: Callable[..., Any]) -> Any:
    """Load a part of a backbone, or tell in one sentence why it cannot be loaded."""
    try:
        return load(**_source(settings.backbone))
    except (OSError, ValueError, RuntimeError, ImportError) as fault:
        raise RecipeError(
            f"model.backbone {settings.backbone!r} cannot be loaded",
            expected=EXPECTED,
            found=next(filter(None, str(fault).splitlines()), type(fault).__name__),
        ) from None


def _folder(backbone: str) -> Path:
    """Where the files of a backbone lie: its folder, or what the hub's cache holds of it."""
    if Path(backbone).is_dir():
        return Path(backbone)
    return Path(snapshot_download(backbone, allow_patterns=["*.safetensors", "*.json"]))


def _source(backbone: str) -> dict[str, str]:
    """Folder or hub name, and the GGUF file where the weights are in one."""
    path = Path(backbone)
    files = [path] if path.suffix == ".gguf" else sorted(path.glob("*.gguf")) if path.is_dir() else []
    if len(files) > 1:
        raise ValueError(f"{len(files)} GGUF files in one folder; name the file itself")
    if not files:
        return {"pretrained_model_name_or_path": backbone}
    return {"pretrained_model_name_or_path": str(files[0].parent), "gguf_file": files[0].name}


def _causal(model: Any) -> CausalBackbone:
    config = model.config.get_text_config()
    end = _first(config.eos_token_id)
    start = _first(config.bos_token_id)
    if end is None:
        raise RecipeError("model.backbone has no end mark", expected="eos_token_id in its config.json")
    return CausalBackbone(model, end if start is None else start, end)


def _first(mark: int | list[int] | None) -> int | None:
    return mark[0] if isinstance(mark, list) else mark


BACKBONES: Mapping[str, Kind] = {
    "t5-demo": Kind(build=demo_t5, tokenizer=None),
    "causal-demo": Kind(build=demo_causal, tokenizer=None),
    "pretrained": Kind(build=pretrained, tokenizer=pretrained_tokenizer),
}


def kind_of(settings: Model) -> Kind:
    """The row of the table a recipe asks for: its own name, or else a pretrained model."""
    return BACKBONES.get(settings.backbone, BACKBONES["pretrained"])


def built(settings: Model, vocabulary: int, kept: Sequence[int] = ()) -> Backbone:
    """The backbone of a recipe, with adapters where it asks for them, and the pieces that are to be kept."""
    backbone = kind_of(settings).build(settings, vocabulary)
    if kept:
        backbone.keep(kept)
    return with_adapters(backbone, settings)


def with_adapters(backbone: Backbone, settings: Model) -> Backbone:
    """Low-rank adapters beside every linear map, which then alone learn (Hu et al., ICLR 2022)."""
    if not settings.lora_rank:
        return backbone
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        raise RecipeError("model.lora_rank needs peft", fix='pip install "clinragen[lora]"') from None
    rank = settings.lora_rank
    chosen = LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules="all-linear")
    inject_adapter_in_model(chosen, backbone.model)
    return backbone


def described(backbone: Backbone) -> dict[str, Any]:
    """What it takes to build a backbone again, without its weights."""
    return {"config": backbone.model.config.to_dict(), "own_head": has_own_head(backbone)}


def rebuilt(values: Mapping[str, Any], settings: Model) -> Backbone:
    """A backbone from what `described` gave, its weights yet to be filled in."""
    fields = dict(values["config"])
    config: PretrainedConfig = AutoConfig.for_model(fields.pop("model_type"), **fields)
    backbone = (
        rebuilt_t5(config, values["own_head"])
        if isinstance(config, T5Config)
        else _causal(AutoModelForCausalLM.from_config(config))
    )
    return with_adapters(backbone, settings)
