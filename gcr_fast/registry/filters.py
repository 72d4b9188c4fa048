"""What the words and numbers of filters mean: codes and masks, or an error that says what there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import lru_cache

import numpy as np

from gcr_fast.codes import BASES, SOURCE_FAMILIES, SOURCE_TYPES, STATUSES, canonical_source
from gcr_fast.errors import UsageError
from gcr_fast.registry.catalogue import Vocabulary
from gcr_fast.registry.lifecycle import ACTIVE, SPLIT
from gcr_fast.registry.stored import STORED, VISIBLE
from gcr_fast.registry.where import Words


def listed(words: Words) -> list[str]:
    """Return the texts of a filter: one, several, or none."""
    if words is None or isinstance(words, str):
        return [] if words is None else [words]
    given = words.to_pylist() if hasattr(words, "to_pylist") else words
    texts = list(given) if isinstance(given, Iterable) else [given]
    if not all(isinstance(word, str) for word in texts):
        raise UsageError(f"a filter takes a text or a list of texts, not {words!r}")
    return texts


# --- words to codes


def code_of(word: str, vocabulary: Vocabulary, what: str) -> int:
    """Return the code of a word that the registry has; for any other, name those that are close."""
    if not isinstance(word, str):
        raise UsageError(f"{what} must be one text, not {word!r}")
    code = vocabulary.find(word)
    if code is None:
        close = get_close_matches(word, vocabulary.words, n=3)
        raise UsageError(f"no {what} {word!r}" + (f"; did you mean {', '.join(close)}?" if close else ""))
    return code


def codes_of(words: Words, vocabulary: Vocabulary, what: str) -> list[int] | None:
    """Return the codes of words, None for no filter."""
    return None if words is None else [code_of(word, vocabulary, what) for word in listed(words)]


def bases(words: Words) -> list[int] | None:
    """Return the codes of allocation bases, None for no filter."""
    return _places(words, BASES, "basis")


def sources(words: Words) -> list[int] | None:
    """Return the codes of source types, None for no filter. A family (wind, hydro) stands for its members, too."""
    if words is None:
        return None
    named = [canonical_source(word) or word for word in listed(words)]
    members = [kind for kind, family in SOURCE_FAMILIES.items() if family in named]
    return _places([*named, *members], SOURCE_TYPES, "source type")


def _places(words: Words, known: tuple[str, ...], what: str) -> list[int] | None:
    if words is None:
        return None
    for word in listed(words):
        if word not in known:
            raise UsageError(f"no {what} {word!r}; there are {', '.join(known)}")
    return [known.index(word) for word in listed(words)]


# --- masks, which are kept between questions, and so never written


def statuses(words: Words) -> tuple[np.ndarray, bool]:
    """Return which stored states are meant, bool[states], and whether only traded certificates are."""
    return _statuses(words if words is None or isinstance(words, str) else tuple(listed(words)))


@lru_cache(maxsize=64)
def _statuses(words: str | tuple[str, ...] | None) -> tuple[np.ndarray, bool]:
    wanted = np.zeros(STORED, dtype=bool)
    named = [word.upper() for word in listed(words)]
    if words is None:
        wanted[1:] = VISIBLE[1:] != SPLIT
        return _kept(wanted), False
    if "TRADED" in named and len(named) > 1:
        raise UsageError("TRADED is a view of ACTIVE: ask for it alone")
    codes = [ACTIVE] if named == ["TRADED"] else _places(named, STATUSES, "status")
    wanted[1:] = np.isin(VISIBLE[1:], codes or [])
    return _kept(wanted), named == ["TRADED"]


def _kept(mask: np.ndarray) -> np.ndarray:
    mask.flags.writeable = False
    return mask


EVERY_HOUR = _kept(np.ones(24, dtype=bool))


def clock(hours: int | Sequence[int] | None) -> np.ndarray:
    """Return which hours of the day are meant, bool[24]: `EVERY_HOUR` itself for no filter."""
    if hours is None:
        return EVERY_HOUR
    wanted = np.zeros(24, dtype=bool)
    for hour in hours if isinstance(hours, Iterable) else [hours]:
        if not isinstance(hour, int | np.integer) or not 0 <= hour < 24:
            raise UsageError(f"hour_of_day must be 0 to 23, or several of them, not {hour!r}")
        wanted[hour] = True
    return _kept(wanted)


def least_wh(wh: int) -> int:
    """Return the least energy that is meant, as an int64 holds it."""
    if not isinstance(wh, int | np.integer) or wh < 1:
        raise UsageError(f"min_wh must be a whole number of Wh, 1 or more, not {wh!r}")
    return min(int(wh), (1 << 63) - 1)
