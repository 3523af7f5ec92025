"""Three stages and one training loop."""
