"""Reading a small list as a file, the way a user has it."""

import pytest

from gcr_fast.certificates import read_certificates


@pytest.fixture
def read(write):
    """Write a list and read it."""
    return lambda content, name="list.csv", **options: read_certificates(write(content, name), **options)


@pytest.fixture
def rows(read):
    """Read a list; return its certificates as dictionaries."""
    return lambda content, **options: read(content, **options).table.to_pylist()


@pytest.fixture
def faults(write, refusal):
    """Read a list that must be refused; return (code, line, column) of its errors."""

    def found(content, name="list.csv", **options):
        errors = [
            item for item in refusal(read_certificates, write(content, name), **options) if item["severity"] == "error"
        ]
        assert all(item["message"] and item["hint"] for item in errors)
        return [(item["code"], item["line"], item["column"]) for item in errors]

    return found
