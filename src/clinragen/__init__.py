"""Diagnoses with reasons you can check: from hospital records to a small model that explains itself."""

__version__ = "0.1.0"
