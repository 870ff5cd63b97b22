"""Bins by the formulas of the contract, each list computed whole and searched from its beginning."""

import functools
import math

I64_MAX = 2**63 - 1
I64_MIN = -(2**63)


@functools.cache
def functional_keys(base, per_magnitude):
    """0 and the different keys of functional bins, up to where 64 bits end."""
    factor = float(base) ** (1.0 / per_magnitude)
    keys = [0]
    for i in range(64 * 64 * 8):
        key = int(factor**i)
        if key > I64_MAX:
            break
        if key != keys[-1]:
            keys.append(key)
    return keys


def largest_not_above(bounds, value):
    found = bounds[0]
    for bound in bounds:
        if bound > value:
            break
        found = bound
    return found


def functional_bin(value, base, per_magnitude):
    keys = functional_keys(base, per_magnitude)
    if value >= 0:
        return largest_not_above(keys, value)
    # What lies below zero has the mirror of its bin, named by its own lowest number.
    above = [key for key in keys if key > -value]
    return -(above[0] - 1) if above else I64_MIN


@functools.cache
def exponential_bounds(low, high, count):
    bounds, current = [0, low], low
    for i in range(2, count):
        step = (math.log(high) - math.log(current)) / (count - i)
        following = math.floor(math.exp(math.log(current) + step) + 0.5)
        current = following if following > current else current + 1
        bounds.append(current)
    return bounds


@functools.cache
def glean_linear_bounds(low, high, count):
    low = max(low, 1)
    return [0] + [(low * (count - 1 - i) + high * (i - 1)) // (count - 2) for i in range(1, count)]
