"""The slow twin of `doubled`: every way in which rows may be split between two hours of one name is tried."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1)


def wall_of(start, zone):
    """Return what the clock of a zone shows at a UTC second, as seconds since 1970."""
    moment = datetime.fromtimestamp(start, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return int((moment - EPOCH).total_seconds())


def utc_of(local, zone, fold):
    """Return the UTC second of a wall-clock second, the first (fold 0) or the second (1) of its name."""
    moment = (EPOCH + timedelta(seconds=local)).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return int(moment.timestamp())


def is_doubled(local, zone):
    """Whether a wall-clock time happens twice."""
    return utc_of(local, zone, 0) < utc_of(local, zone, 1)


def readings_of(labels, zone):
    """Return every list of UTC starts, ascending and none twice, that these labels of one series may mean in order."""
    doubled = [at for at, label in enumerate(labels) if is_doubled(label, zone)]
    found = []
    for split in range(len(doubled) + 1):
        later = set(doubled[split:])
        starts = [utc_of(label, zone, int(at in later)) for at, label in enumerate(labels)]
        if all(before < after for before, after in pairwise(starts)):
            found.append(starts)
    return found
