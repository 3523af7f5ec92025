"""Cited facts about findings and diagnoses."""
