"""Examples with random changes, by Hypothesis: whatever stands in a file, the only way out is a result or a refusal."""

import os
import re

import corpus
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gcr_fast import RefusedError
from gcr_fast.periods import FIRST_S, LAST_S
from gcr_fast.sources.cells import MAX_CELL

TOKENS = (b"", b",", b";", b"\t", b"\n", b"\r\n", b'"', b"\0", b"-", b"NaN", b"1e400", b"9" * 40, b"\xff", b"24:00")
TOKENS += (b"2024-02-30", b"31/12/2100", b"null", b"{}", b"[]", b"</a>", b"<a>", b"&#0;", "テ".encode(), b"0.5,0")
EXAMPLES = int(os.environ.get("GCR_MUTATIONS", "25"))
"""Changes of each example; more find more."""
PIECES = re.compile(rb"[\w.:+-]+|\s+|[^\w\s]+")


@st.composite
def changed(draw, content):
    """An example with a few of its words or lines removed, repeated, exchanged, or put in the place of others."""
    pieces = PIECES.findall(content) if draw(st.booleans()) else content.splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 6))):
        if not pieces:
            break
        at, other = (draw(st.integers(0, len(pieces) - 1)) for _ in range(2))
        change = draw(st.sampled_from(["remove", "repeat", "exchange", "copy", "token", "byte"]))
        if change == "remove":
            del pieces[at : at + draw(st.integers(1, 4))]
        elif change == "repeat":
            pieces[at:at] = pieces[at : at + draw(st.integers(1, 4))]
        elif change == "exchange":
            pieces[at], pieces[other] = pieces[other], pieces[at]
        elif change == "copy":
            pieces[at] = pieces[other]
        elif change == "token":
            pieces[at] = draw(st.sampled_from(TOKENS))
        else:
            pieces[at] = pieces[at][:-1] + draw(st.binary(min_size=1, max_size=2))
    return b"".join(pieces)


def check_readings(readings):
    """What holds of any result, whatever the file."""
    assert readings.series
    for one in readings.series:
        assert len(one.starts) == len(one.values) == len(one.null) == len(one.lines)
        assert one.interval_s > 0
        assert one.starts.dtype == one.values.dtype == np.int64
        assert not one.values[one.null].any()
        assert abs(one.values).max() <= 8 * MAX_CELL
        assert FIRST_S - 86_400 <= one.starts.min() <= one.starts.max() <= LAST_S + 86_400


def read_or_refuse(folder, path, content):
    """Read a changed example; what is neither a refusal that names the file nor a sound result is a bug."""
    place = corpus.written(folder, path, content)
    try:
        readings = corpus.read(place, corpus.how_of(path))
    except RefusedError as refused:
        findings = refused.findings.to_pylist()
    else:
        check_readings(readings)
        return
    assert str(place) in {finding["file"] for finding in findings}


@pytest.mark.parametrize("path", corpus.EXAMPLES, ids=lambda path: path.name)
def test_a_changed_example_is_read_or_refused(path, tmp_path):
    @given(changed(path.read_bytes()))
    @settings(max_examples=EXAMPLES)
    @example(path.read_bytes())
    def mutated(content):
        read_or_refuse(tmp_path, path, content)

    mutated()
