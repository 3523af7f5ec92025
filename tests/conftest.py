"""Shapes are types: every function is checked against its jaxtyping signature. No test is timed or random."""

from hypothesis import settings
from jaxtyping import install_import_hook

install_import_hook("clinragen", "beartype.beartype")
settings.register_profile("clinragen", deadline=None, derandomize=True)
settings.load_profile("clinragen")
