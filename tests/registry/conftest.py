"""A registry in which everything has happened once, for the tests that try audits, proofs, exports and damage on it."""

import pytest
from oracle.lively import NOW, copied, lively

from gcr_fast.registry.registry import Registry


@pytest.fixture(scope="session")
def closed(tmp_path_factory):
    """A closed registry, the same for all; copied by whoever changes or damages it."""
    folder = tmp_path_factory.mktemp("lively") / "registry"
    lively(folder).close()
    return folder


@pytest.fixture
def folder(closed, tmp_path):
    """A copy of it."""
    return copied(closed, tmp_path / "copy")


@pytest.fixture
def registry(folder):
    """A copy of it, open."""
    with Registry.open(folder, clock=lambda: NOW) as registry:
        yield registry
