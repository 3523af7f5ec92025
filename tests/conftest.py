"""Shapes are types: every function of the package is checked against its jaxtyping signature."""

from jaxtyping import install_import_hook

install_import_hook("clinragen", "beartype.beartype")
