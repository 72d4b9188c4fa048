"""The slow twins of the kernels that read hours back: plain Python, lists and big integers."""

from itertools import groupby


def row_figures(row):
    """Return the sum, the number of entries that are not zero, and the smallest entry or 0."""
    return sum(row), sum(1 for value in row if value != 0), min([0, *row])


def run_bounds(parents):
    """Return where each run of equal values begins, and the length of it all."""
    bounds = [0]
    for _, run in groupby(parents):
        bounds.append(bounds[-1] + len(list(run)))
    return bounds


def run_times(starts, lengths, per_second):
    """Return one run's first start, last end, longest length, and whether it has one length and gaps of whole ones."""
    ends = [start + length * per_second for start, length in zip(starts, lengths, strict=True)]
    grid = lengths[0] * per_second
    gaps = [start - end for start, end in zip(starts[1:], ends[:-1], strict=True)]
    regular = lengths[0] > 0 and len(set(lengths)) == 1 and all(gap >= 0 and gap % grid == 0 for gap in gaps)
    return starts[0], ends[-1], max([0, *lengths]), int(regular)


def run_energy(energy):
    """Return one run's sum, smallest, largest and number of zeros."""
    return sum(energy), min(energy), max(energy), energy.count(0)


def run_words(codes, allowed):
    """Return whether every code of a run is allowed; the last entry of `allowed` is that of code -1."""
    return all(allowed[code] for code in codes)


def quota(energy, weights, whole, total):
    """Return for each entry whether it is floor or ceiling of its share, and how many floors are above 0."""
    floors = [total * weight // whole for weight in weights]
    ceilings = [-(-total * weight // whole) for weight in weights]
    good = [value in pair for value, *pair in zip(energy, floors, ceilings, strict=True)]
    return good, sum(1 for floor in floors if floor > 0)
