from __future__ import annotations

import pytest

from tests.loopback import Loopback
from tests.tenant import ROWS


@pytest.fixture
def azure(tmp_path, monkeypatch):
    """Azure on the loopback interface, and an environment that signs in to it."""
    with Loopback(ROWS, page_rows=2) as server:
        for name, value in server.environment(tmp_path).items():
            monkeypatch.setenv(name, value)
        yield server
