"""The student: a small language model that reads note tokens and series tokens side by side."""
