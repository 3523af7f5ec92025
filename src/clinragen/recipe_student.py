"""The sections of a recipe that say what the student is and how it is taught."""

from typing import Literal

from pydantic import Field, model_validator

from clinragen.recipe_data import Section


class Model(Section):
    """The student."""

    backbone: str = Field(
        "t5-demo",
        description="t5-demo, causal-demo, or folder, hub name or GGUF file of a T5 or decoder-only model",
    )
    lora_rank: int = Field(
        0, ge=0, description="rank of the adapters that learn in the backbone's place; 0: all of it learns"
    )
    trim_vocabulary: bool = Field(
        False, description="whether a pretrained model keeps only the words that training texts need"
    )
    series_as: Literal["tokens", "text", "both"] = Field(
        "tokens", description="how the series is read: soft tokens, findings as text, or both"
    )
    layout: Literal["clean", "paper"] = Field(
        "clean", description="how the note is shown and the text begins: ours, or the paper's"
    )
    series: Literal["channels", "patches", "scrambled_patches"] = Field(
        "channels",
        description="how hours become vectors: one of each variable; or the paper's patches of its eleven "
        'variables, as it means them or scrambled as its code cuts them (both need attention = "tokens")',
    )
    judgement: Literal["head", "text"] = Field(
        "head",
        description="what decides: the head, whose judgement the text tells and which gives probabilities; "
        "or the text alone, as in the paper",
    )
    attention: Literal["facts", "tokens"] = Field(
        "facts", description="knowledge attention: fact by fact with provenance, or the paper's token bag"
    )
    knowledge: Literal["facts", "none", "shuffled"] = Field(
        "facts",
        description="what the series may read beside its states: the facts, none, or each fact's place with "
        "the diagnoses of another one",
    )
    name_embedding: bool = Field(
        True, description="whether each series token carries the name of its variable (facts only)"
    )
    vocabulary: int = Field(1500, ge=300, description="t5-demo: pieces of the BPE vocabulary")
    width: int = Field(256, ge=16, description="t5-demo: model width")
    layers: int = Field(3, ge=1, description="t5-demo: layers of encoder and decoder")
    heads: int = Field(4, ge=1, description="t5-demo: attention heads")
    feed_forward: int = Field(512, ge=16, description="t5-demo: feed-forward width")
    series_width: int = Field(96, ge=8, description="width of the series encoder")
    note_hints: bool = Field(
        True, description="whether each piece of the note carries the names of what it speaks for"
    )
    patch_hours: int = Field(8, ge=1, description="hours of one patch of the series")
    note_tokens: int = Field(256, ge=16, description="longest note; the rest is cut and counted")
    target_tokens: int = Field(192, ge=16, description="longest text the student may write")
    beams: int = Field(1, ge=1, description="beams in writing; 1 is greedy")
    each_sentence_once: bool = Field(
        True, description="a sentence said twice ends its part of the text and is left out; no other rule"
    )

    @model_validator(mode="after")
    def _fits(self) -> "Model":
        if self.series != "channels" and self.attention != "tokens":
            raise ValueError(f'series = "{self.series}" gives no vector a variable: set attention = "tokens"')
        return self


class Distill(Section):
    """How long and how hard each stage trains."""

    optimiser: Literal["muon", "adamw"] = Field(
        "muon",
        description="muon for matrices and scaled rates for the rest, linear decay: for models from scratch; "
        "or the paper's AdamW with plain rates, weight decay .05, 200 steps of warm-up and cosine decay",
    )
    batch: int = Field(16, ge=1, description="stays in a batch")
    batch_pieces: int = Field(
        0,
        ge=0,
        description="most pieces of a batch, padding included, stays of like length together; "
        "0: `batch` stays",
    )
    precision: Literal["fp32", "bf16"] = Field(
        "fp32", description="of the products in training; weights and moments are fp32 either way"
    )
    evidence_steps: int = Field(
        1000, ge=0, description="steps that fit the head's single weights before stage 1; a few seconds"
    )
    note_steps: int = Field(400, ge=0, description="steps of stage 1: note, findings as pseudo tokens")
    series_steps: int = Field(
        200, ge=0, description="steps of stage 2: series encoder, language model frozen"
    )
    joint_steps: int = Field(250, ge=0, description="steps of stage 3: everything")
    preference_steps: int = Field(
        0,
        ge=0,
        description="steps after stage 3 on pairs of the teacher's texts, better and worse grounded (DPO)",
    )
    preference_rate: float = Field(1e-4, gt=0, description="rate of these steps, scaled by each tensor's RMS")
    preference_beta: float = Field(
        0.1, gt=0, description="how strongly these steps hold to what was learnt before (DPO's beta)"
    )
    note_rate: float = Field(1.5e-2, gt=0, description="stage 1 rate, scaled by each tensor's RMS")
    matrix_rate: float = Field(
        3e-3, gt=0, description="stage 1 rate of the language model's matrices; stage 3 lowers it as its own"
    )
    series_rate: float = Field(1e-3, gt=0, description="stages 2 and 3: rate of the series encoder")
    joint_rate: float = Field(8e-3, gt=0, description="stage 3 rate, scaled by each tensor's RMS")
    joint_series_encoder: bool = Field(
        True, description="stage 3 trains the series encoder; false is the paper's, its attention alone"
    )
    align_weight: float = Field(0.3, ge=0, description="stage 3: weight of the alignment loss")
    head_weight: float = Field(1.0, ge=0, description="weight of the loss of the probabilities")
    pseudo_share: float = Field(0.2, ge=0, le=1, description="stage 3: share of batches with pseudo tokens")
    reading_share: float = Field(
        0.5, ge=0, le=1, description="stages 1 and 3: share of steps that show findings or note alone"
    )
    lessons: Literal["whole", "label_only", "shuffled"] = Field(
        "whole",
        description="what is taught: answer and reasons, the answer alone, or the answer with the reasons "
        "of another stay",
    )
    findings_first: bool = Field(
        True, description="stage 1 shows true findings as pseudo tokens; false is the paper's, the note alone"
    )
    checkpoint_every: int = Field(50, ge=1, description="steps between checkpoints")
