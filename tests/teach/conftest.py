"""What the tests of the teachers share."""

import pytest
from tiny_models import save_tiny_causal


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """For every kind of teacher the model to name in its settings."""
    local = save_tiny_causal(tmp_path_factory.mktemp("tiny"))
    return {"scripted": "", "remote": "tiny", "local": str(local)}
