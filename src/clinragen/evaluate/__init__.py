"""Predict once, score many: metrics, controls, baselines, audits and the report."""
