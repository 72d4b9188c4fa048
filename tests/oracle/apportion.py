"""Slow twins of the apportionment kernels: plain Python, integers of any size, to be checked by reading."""


def cumulative(total, weights):
    """Return floor(T * C_i / W) - floor(T * C_(i-1) / W) for each weight."""
    whole = sum(weights)
    hours = []
    reached = 0
    for weight in weights:
        before = total * reached // whole
        reached += weight
        hours.append(total * reached // whole - before)
    return hours


def largest_remainder(total, weights):
    """Return the floor of each share, plus 1 for the largest remainders, the earliest first among equals."""
    whole = sum(weights)
    hours = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    by_rank = sorted(range(len(weights)), key=lambda i: (-remainders[i], i))
    for i in by_rank[: total - sum(hours)]:
        hours[i] += 1
    return hours
