import pytest

import reference
from seqnorm import BINARY, MODELS, Server


def pytest_sessionstart(session):
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is missing: run `make build`", returncode=2)


@pytest.fixture(scope="session")
def server():
    """All models, the default way of batching. Tests that stop or starve a server start their own."""
    running = Server(paths=[MODELS, *reference.PLAIN])
    yield running
    running.stop()
    assert running.exit_code() == 0


@pytest.fixture(scope="session")
def padded():
    """All models, batches padded and masked."""
    running = Server("--batching", "padded", paths=[MODELS, *reference.PLAIN])
    yield running
    running.stop()
    assert running.exit_code() == 0


@pytest.fixture
def start():
    """Starts servers that end with the test."""
    running = []

    def begin(*arguments, **options):
        running.append(Server(*arguments, **options))
        return running[-1]

    yield begin
    for each in running:
        each.stop()
