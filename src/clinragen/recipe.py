"""The Recipe: one experiment as one TOML file; a frozen typed section for each step.

A section is read by the step of that name, `grounding` by the steps that check texts (teach, evaluate);
`recipe_file` reads a recipe from its file.
"""

from typing import Literal

from pydantic import Field, model_validator

from clinragen.recipe_data import Cohort, Knowledge, Section, Source

__all__ = [
    "Cohort",
    "Distill",
    "Engine",
    "Evaluate",
    "Grounding",
    "Knowledge",
    "Model",
    "Recipe",
    "Section",
    "Source",
    "Teach",
]


class Teach(Section):
    """Who writes the rationales the student learns from."""

    kind: Literal["scripted", "remote", "local"] = Field(
        "scripted",
        description="the teacher: a script, a model behind an endpoint, or a model loaded on this machine",
    )
    stays: int = Field(0, ge=0, description="how many training stays to ask about; 0 means all")
    prompt: Literal["told-1", "told-2", "blind-1", "paper-1"] = Field(
        "told-2",
        description="told names the coded diagnoses; blind asks for them and keeps what agrees; paper is "
        "told, and shows the series as the paper does: hours outside its fences",
    )
    agreement_at_least: float = Field(
        0.8,
        ge=0,
        le=1,
        description="blind: least F1 of the diagnoses named against the coded ones; 1 is exact",
    )
    samples: int = Field(
        1, ge=1, description="answers per stay; the best grounded is kept, worse ones become preferences"
    )
    temperature: float = Field(0.7, ge=0, description="of several samples; a single one is asked for at 0")
    max_tokens: int = Field(500, ge=1, description="longest answer")
    model: str = Field(
        "", description="remote: name of the model; local: path or name of a safetensors model"
    )
    endpoint: str = Field("", description="remote: base URL of an OpenAI-compatible API")
    agreement: str = Field(
        "", description="remote: the agreement that permits sending credentialed records to this endpoint"
    )
    deidentify: bool = Field(
        False, description="names, dates, telephone and record numbers are taken out of notes before sending"
    )
    json_schema: bool = Field(
        True, description="remote: ask for JSON of a given shape, if the server takes one"
    )
    batch_api: bool = Field(False, description="remote: ask through the Batch API, cheaper and slower")
    poll_seconds: float = Field(30.0, gt=0, description="batch_api: how often to ask whether it is done")
    at_once: int = Field(8, ge=1, description="remote: calls at once; local: stays in a batch")
    retries: int = Field(4, ge=0, description="remote: further calls where one fails in passing")
    timeout_seconds: float = Field(120.0, gt=0, description="remote: longest wait for one answer")
    failed_runs: int = Field(
        3, ge=1, description="remote: runs that may fail to get an answer before a question is given up"
    )
    price_in: float = Field(0.0, ge=0, description="remote: price of a million tokens sent")
    price_out: float = Field(0.0, ge=0, description="remote: price of a million tokens received")
    budget_money: float = Field(0.0, ge=0, description="remote: most money the ledger may hold; 0: no limit")
    budget_tokens: int = Field(0, ge=0, description="remote: most tokens the ledger may hold; 0: no limit")
    keep_contradicted: bool = Field(
        False, description="keep rationales with a contradicted claim (paper mode does)"
    )


class Grounding(Section):
    """How texts are checked, the teacher's and the student's."""

    model: str = Field(
        "",
        description="folder of an entailment model, relative to the recipe file, to be asked about what the "
        "rules leave open of a note; empty: rules only",
    )
    threshold: float = Field(0.9, gt=0, le=1, description="least probability at which that model is believed")


class Model(Section):
    """The student."""

    backbone: str = Field(
        "t5-demo",
        description="t5-demo, causal-demo, or folder, hub name or GGUF file of a T5 or decoder-only model",
    )
    lora_rank: int = Field(
        0, ge=0, description="rank of the adapters that learn in the backbone's place; 0: all of it learns"
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


class Evaluate(Section):
    """What is scored, and against what."""

    stays: int = Field(0, ge=0, description="most held_out stays to score; 0 means all")
    matching: str = Field(
        "",
        description="folder of a sentence encoder, relative to the recipe file: names count as the label "
        "they are like, as the paper does; empty: read exactly",
    )
    bootstrap: int = Field(500, ge=10, description="patient bootstrap samples for every interval")
    batch: int = Field(64, ge=1, description="stays generated at once")
    writer: Literal["transformers", "onnx", "onnx_int8"] = Field(
        "transformers",
        description="what writes greedy texts: the library, or ONNX Runtime with a T5's weights as they are "
        "or in 8 bits (faster; in 8 bits a few texts differ)",
    )
    controls: tuple[
        Literal[
            "label_only",
            "series_as_text",
            "series_as_both",
            "no_knowledge",
            "shuffled_knowledge",
            "shuffled_rationales",
        ],
        ...,
    ] = Field(
        ("label_only", "series_as_text"),
        description="students trained to compare with: taught without rationales or with those of other "
        "stays, shown findings as text or as text too, reading no facts or facts in the wrong places",
    )
    control_share: float = Field(
        1.0,
        gt=0,
        le=1,
        description="share of the student's steps that each of these gets; told in the report",
    )
    swap_stays: int = Field(200, ge=0, description="stays of the swap test")
    decodings: tuple[Literal["readable", "judged", "grounded"], ...] = Field(
        (),
        description="other ways to write, compared with writing freely: an answer that can always be read; "
        "the answer forced from the probabilities; of several such texts the one best grounded in the chart",
    )
    grounded_samples: int = Field(4, ge=2, description="texts of a stay that grounded decoding chooses from")
    grounded_temperature: float = Field(0.7, gt=0, description="how freely these are drawn")
    cases: int = Field(6, ge=0, description="worked cases in the report")


class Engine(Section):
    """Where the work runs. Never changes a result."""

    kind: Literal["local", "ray"] = Field(
        "local",
        description="where a local teacher is loaded: in this process, or by Ray workers",
    )
    workers: int = Field(2, ge=1, description="local processes for ingest, cohort and teach; Ray workers")
    device: str = Field(
        "auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="where the student lives; auto: a GPU if any"
    )
    threads: int = Field(0, ge=0, description="torch threads; 0 means all cores")


class Recipe(Section):
    """One experiment."""

    name: str = Field(min_length=1, pattern=r"^[\w.-]+$", description="names the run folder")
    seed: int = Field(0, ge=0, description="the seed of everything random")
    runs: str = Field("runs", description="folder of the run folders, relative to where you are")
    source: Source = Source()
    cohort: Cohort = Cohort()
    knowledge: Knowledge = Knowledge()
    teach: Teach = Teach()
    grounding: Grounding = Grounding()
    model: Model = Model()
    distill: Distill = Distill()
    evaluate: Evaluate = Evaluate()

    @model_validator(mode="after")
    def _fits(self) -> "Recipe":
        if self.model.judgement == "text" and self.distill.reading_share + self.distill.head_weight > 0:
            raise ValueError(
                'model.judgement = "text" has no judgement to teach: set distill.reading_share and '
                "distill.head_weight to 0"
            )
        if self.model.layout == "paper" and self.evaluate.decodings:
            raise ValueError('evaluate.decodings write the clean layout: set model.layout = "clean"')
        return self

    engine: Engine = Engine()
