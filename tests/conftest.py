"""Shapes are types: every function is checked against its jaxtyping signature. No test is timed or random."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

install_import_hook("clinragen", "beartype.beartype")
settings.register_profile("clinragen", deadline=None, derandomize=True)
settings.load_profile("clinragen")


@pytest.fixture(autouse=True)
def small_numbers_stay_numbers() -> Iterator[None]:
    """A step that trains in this process calls subnormal numbers zero; the next test must not."""
    yield
    torch.set_flush_denormal(False)
