"""Events in, stays out: selection with counts, splits by patient, leakage audit."""
