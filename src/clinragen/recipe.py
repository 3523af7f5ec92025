"""The Recipe: one experiment as one TOML file; a frozen typed section for each step.

A section is read by the step of that name, `grounding` by the steps that check texts (teach, evaluate);
`recipe_file` reads a recipe from its file.
"""

from typing import Literal

from pydantic import Field, model_validator

from clinragen.recipe_data import Cohort, Knowledge, Section, Source
from clinragen.recipe_engine import Engine
from clinragen.recipe_student import Distill, Model

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
    writer: Literal["transformers", "onnx", "onnx_short_notes", "onnx_int8"] = Field(
        "transformers",
        description="what writes greedy texts: the library, or ONNX Runtime for a T5: in full (same texts), "
        "with what it keeps of notes in 8 bits (hardly any differ), or with its weights so too (some differ)",
    )
    text_chances: Literal["answer", "likelihood"] = Field(
        "answer",
        description='judgement = "text" only: a diagnosis is as probable as the text says, 1 or 0, or as '
        "likely as its name was where it could have stood",
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
