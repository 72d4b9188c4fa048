"""What is asked for: the filters of a question, as they are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from gcr_fast.errors import UsageError

Words = str | Sequence[str] | None
Moment = str | int | datetime | None
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_S = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class Where:
    """Filters; all that are given must hold. A list of words means any of them."""

    parent: Words = None
    """Certificate ids of parents."""
    owner: str | None = None
    start: Moment = None
    """Intervals that begin at or after this."""
    end: Moment = None
    """Intervals that begin before this."""
    at: Moment = None
    """The interval that holds this moment."""
    source_type: Words = None
    device: Words = None
    country: Words = None
    basis: Words = None
    status: Words = None
    """Statuses, or TRADED: ACTIVE and traded at least once. By default all but SPLIT, whose pieces carry on."""
    min_wh: int = 1
    hour_of_day: int | Sequence[int] | None = None
    """Hours of the day, UTC, 0 to 23."""
    certificate: Any = None
    """Row handles or text ids of certificates, one or many."""

    @classmethod
    def of(cls, given: Any) -> Where:
        """Take filters, a mapping of them, or ids of certificates."""
        if isinstance(given, Where):
            return given
        if given is None:
            raise UsageError("say which certificates: filters, or ids")
        if isinstance(given, dict):
            unknown = given.keys() - cls.__dataclass_fields__.keys()
            if unknown:
                raise UsageError(f"no filter {', '.join(sorted(unknown))}; there are {', '.join(cls.names())}")
            return cls(**given)
        return cls(certificate=given)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of all filters."""
        return tuple(field.name for field in fields(cls))


def seconds_of(moment: str | int | datetime, what: str = "time", *, up: bool = False) -> int:
    """Return UTC seconds of a moment: ISO 8601 with an offset, an aware datetime, or seconds themselves.

    A fraction of a second is rounded down, or `up`.
    """
    if isinstance(moment, int | np.integer):
        return _possible(int(moment), what)
    try:
        read = moment if isinstance(moment, datetime) else datetime.fromisoformat(moment.strip())
    except (ValueError, AttributeError, TypeError):
        raise UsageError(f"{what} {moment!r} is not an ISO 8601 time such as 2024-06-01T12:00Z") from None
    if read.tzinfo is None and isinstance(moment, str) and len(moment.strip()) == len("2024-06-01"):
        read = read.replace(tzinfo=UTC)  # a day is a day of UTC here, as are all stamps of certificates
    if read.tzinfo is None:
        raise UsageError(f"{what} {moment!r} names no time zone; append Z or an offset")
    since, second = read - _EPOCH, timedelta(seconds=1)
    return -(-since // second) if up else since // second


def _possible(second: int, what: str) -> int:
    if abs(second) > _LAST_S:
        raise UsageError(f"{what} {second} is no time: seconds since 1970 are meant")
    return second
