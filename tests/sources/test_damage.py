"""Every example of every format, broken in every way: a clear refusal or a correct result, and nothing else."""

import re
from collections import Counter

import corpus
import damage
import pytest

from gcr_fast import RefusedError

SUMS = "the parts of a sum are read where all of them are there, else the sum, under a word that a part may have too"
EXCUSED = (
    ("eco2mix", r"cut off|only the first|'eolien|.*eolien", r"FR-(wind|bio|waste|hydro)", SUMS),
    ("elexon-fuelhh", r"cut off|only the first", r"GB-nuclear", "the later publication stood below the cut"),
    ("aemo-wem-facilities", r"cut off|only the first", r"EXAMPLE_WF1", "the later extraction stood below the cut"),
    ("entsoe-library", r"line 2 again", r".*_consumption", "consumption is a series as soon as one value is above 0"),
    ("energinet", r".*Exchange|.*column 12|every", r"DK[12]-", "links and size classes that an area does not have"),
    ("pjm", r"day and month swapped", r"PJM-", "the one day above 12 is of the column that is not read"),
    ("green-button", r".*powerOfTenMultiplier( renamed)?$", r"R4", "an absent multiplier is none, says the standard"),
)
"""(example, damage, series, why): results that are right for what is left of the file."""


def excused(path, one, series):
    """Whether a difference is of these."""
    return any(
        path.stem.startswith(stem) and re.match(damaged, one.name) and re.match(name, series)
        for stem, damaged, name, _ in EXCUSED
    )


def refused_clearly(error, path):
    """Whether every finding names the file."""
    findings = error.findings.to_pylist()
    assert findings
    for finding in findings:
        assert finding["file"] == str(path), finding
        assert finding["message"], finding


def contradicts_itself(found):
    """Whether two rows give one time two values: refused when the grid is laid."""
    return any(len(values) > 1 for cells in found.values() for values in cells.values())


def wrong(found, wanted, one):
    """Values of a damaged file that are not those of the whole one: {(series, start): (values, allowed)}."""
    odd = {}
    for key, cells in found.items():
        for start, values in cells.items():
            allowed = wanted.get(key, {}).get(start, set()) | {None}
            if one.swaps:
                allowed |= wanted.get(key, {}).get(one.swaps.get(start), set())
            if len(values) == 1 and not values <= allowed and not renamed(found, wanted, key, start):
                odd[key[0], start] = (values, allowed)
    return odd


def renamed(found, wanted, key, start):
    """Whether a series that the whole file does not have took a value over from one that has lost it."""
    (value,) = found[key][start]
    lost = [
        other
        for other, cells in wanted.items()
        if value in cells.get(start, ()) and value not in found.get(other, {}).get(start, ())
    ]
    return key not in wanted and any(other[4:] == key[4:] for other in lost)


def cut_short(odd, readings, line):
    """Whether all that is wrong is the last number of the line on which a file was cut off, and that it is said."""
    cut = {start for one in readings.series for start in one.starts[one.lines == line].tolist()}
    return len(odd) == 1 and all(start in cut for _, start in odd) and "last line" in readings.notes


@pytest.mark.parametrize("path", corpus.READABLE, ids=lambda path: path.name)
def test_a_broken_file_is_refused_or_read_right(path, tmp_path):
    whole = corpus.read(path)
    wanted = corpus.facts(whole)
    outcomes, faults = Counter(), []
    for one in damage.damages(path, whole):
        place = corpus.written(tmp_path, path, one.content)
        try:
            readings = corpus.read(place, corpus.how_of(path))
        except RefusedError as error:
            outcomes["refused"] += 1
            refused_clearly(error, place)
            continue
        except Exception as error:
            faults.append(f"{one.name}: {type(error).__name__}: {error}")
            continue
        outcomes["read"] += 1
        found = corpus.facts(readings)
        odd = {at: said for at, said in wrong(found, wanted, one).items() if not excused(path, one, at[0])}
        if odd and not (one.cut_line and cut_short(odd, readings, one.cut_line)):
            faults.append(f"{one.name}: {len(odd)} wrong, such as {next(iter(odd.items()))}")
        elif one.harmless and found != wanted and not contradicts_itself(found):
            faults.append(f"{one.name}: not the same result")
    assert not faults, f"{path.name}: {len(faults)} of {outcomes.total() + len(faults)}:\n" + "\n".join(faults)
    assert outcomes["refused"] >= 10
