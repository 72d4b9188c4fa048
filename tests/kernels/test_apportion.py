"""Both apportionment methods against big-integer arithmetic, and each promise about them by its name."""

from fractions import Fraction
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracle import apportion as oracle
from oracle.hard import hard_totals

from gcr_fast.accelerate import jit_enabled
from gcr_fast.codes import MAX_PARENT_WH, MAX_PROFILE_TOTAL
from gcr_fast.kernels import apportion

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # wrapping is meant

LONGEST = 200
HOURS = 8784 if jit_enabled() else 300


def cumulative(totals, weights):
    """Run the kernel on lists of Python integers; return lists of them."""
    prefix = np.array([0, *accumulate(weights)], dtype=np.int64)
    out = np.full((len(totals), len(weights)), -7, dtype=np.int64)
    apportion.cumulative(prefix, np.array(totals, dtype=np.int64), out)
    return out.tolist()


def largest_remainder(totals, weights):
    """Run the kernel on lists of Python integers; return lists of them."""
    out = np.full((len(totals), len(weights)), -7, dtype=np.int64)
    values = np.array(weights, dtype=np.int64)
    rests = np.full(len(weights), -7, dtype=np.int64)
    apportion.largest_remainder(values, sum(weights), np.array(totals, dtype=np.int64), rests, out)
    return out.tolist()


METHODS = pytest.mark.parametrize("method", [cumulative, largest_remainder])


@st.composite
def shapes(draw):
    """Weights: small and full of zeros and ties, huge, or filled up to the greatest sum that is allowed."""
    top = draw(st.sampled_from([1, 3, 1000, 1 << 40, MAX_PROFILE_TOTAL // LONGEST]))
    longest = draw(st.sampled_from([1, 24, LONGEST]))
    weights = draw(st.lists(st.integers(0, top), min_size=1, max_size=longest))
    if sum(weights) == 0 or draw(st.booleans()):
        limit = draw(st.one_of(st.just(MAX_PROFILE_TOTAL), st.integers(sum(weights) + 1, MAX_PROFILE_TOTAL)))
        weights[draw(st.integers(0, len(weights) - 1))] += limit - sum(weights)
    return weights


@st.composite
def cases(draw):
    """Totals and weights, most of the totals at a place where the floor of a share moves."""
    weights = draw(shapes())
    whole = sum(weights)
    prefixes = [prefix for prefix in accumulate(weights) if prefix]
    totals = [draw(st.integers(0, MAX_PARENT_WH)), draw(st.integers(0, 2 * len(weights)))]
    for _ in range(3):
        prefix = draw(st.sampled_from([*prefixes, *(weight for weight in weights if weight)]))
        share = draw(st.integers(0, prefix * MAX_PARENT_WH // whole))
        border = share * whole // prefix + draw(st.integers(-1, 2))
        totals.append(min(max(border, 0), MAX_PARENT_WH))
        totals.append(draw(st.sampled_from(hard_totals(prefix, whole))))
    return [*totals, MAX_PARENT_WH, MAX_PARENT_WH - 1], weights


def wide_case():
    """A whole year of uneven weights that sum to the limit, with totals from one Wh to the limit."""
    rng = np.random.default_rng(20240229)
    weights = rng.integers(0, MAX_PROFILE_TOTAL // HOURS, HOURS).tolist()
    weights[HOURS // 2] += MAX_PROFILE_TOTAL - sum(weights)
    return [1, 17, HOURS - 1, 10**12 + 1, *rng.integers(1, MAX_PARENT_WH, 6).tolist(), MAX_PARENT_WH], weights


@METHODS
@given(case=cases())
@example(case=([0, 1, 2, MAX_PARENT_WH], [1]))
@example(case=([0, 1, MAX_PARENT_WH], [MAX_PROFILE_TOTAL]))
@example(case=([49], [11]))  # the float quotient is a little under 49
@example(case=([661575461268083], [136034553451199, 8871164701289792]))  # and here over a whole number
@example(case=([1, 2, 3, 5, 6], [1, 1, 1, 1, 1, 1, 1]))
@example(case=([MAX_PARENT_WH, MAX_PARENT_WH - 1], [1, MAX_PROFILE_TOTAL - 2, 1]))
def test_same_as_big_integers(method, case):
    totals, weights = case
    expected = getattr(oracle, method.__name__)
    assert method(totals, weights) == [expected(total, weights) for total in totals]


@METHODS
def test_exact_up_to_2_to_51_wh(method):
    assert (MAX_PARENT_WH, MAX_PROFILE_TOTAL) == (2**51, 2**53 - 1)
    totals, weights = wide_case()
    expected = getattr(oracle, method.__name__)
    assert method(totals, weights) == [expected(total, weights) for total in totals]


@METHODS
@given(case=cases())
def test_energy_is_conserved_exactly(method, case):
    totals, weights = case
    assert [sum(hours) for hours in method(totals, weights)] == totals


@METHODS
@given(case=cases())
def test_no_hour_is_negative(method, case):
    assert all(min(hours) >= 0 for hours in method(*case))


@METHODS
@given(case=cases())
def test_quota_rule_every_hour_is_floor_or_ceiling_of_its_share(method, case):
    totals, weights = case
    whole = sum(weights)
    for total, hours in zip(totals, method(totals, weights), strict=True):
        for hour, weight in zip(hours, weights, strict=True):
            assert total * weight // whole <= hour <= -(-total * weight // whole)


@METHODS
@given(case=cases())
def test_zero_hour_stays_zero(method, case):
    totals, weights = case
    for hours in method(totals, weights):
        assert all(hour == 0 for hour, weight in zip(hours, weights, strict=True) if weight == 0)


@given(case=cases())
def test_running_total_is_within_1_wh(case):
    totals, weights = case
    whole = sum(weights)
    for total, hours in zip(totals, cumulative(totals, weights), strict=True):
        for issued, reached in zip(accumulate(hours), accumulate(weights), strict=True):
            assert 0 <= Fraction(total * reached, whole) - issued < 1


@given(case=cases(), data=st.data())
def test_every_day_and_month_is_within_1_wh(case, data):
    totals, weights = case
    first = data.draw(st.integers(0, len(weights) - 1))
    stop = data.draw(st.integers(first, len(weights)))
    for total, hours in zip(totals, cumulative(totals, weights), strict=True):
        share = Fraction(total * sum(weights[first:stop]), sum(weights))
        assert abs(sum(hours[first:stop]) - share) < 1


@given(case=cases())
def test_largest_remainder_keeps_equal_hours_in_order_ties_by_earliest_hour(case):
    totals, weights = case
    for hours in largest_remainder(totals, weights):
        seen = {}
        for hour, weight in zip(hours, weights, strict=True):
            before = seen.setdefault(weight, hour)
            assert before - 1 <= hour <= before
            seen[weight] = hour


@given(case=cases())
def test_largest_remainder_never_gives_a_larger_hour_less(case):
    totals, weights = case
    for hours in largest_remainder(totals, weights):
        in_order = sorted(zip(weights, hours, strict=True))
        assert all(less[1] <= more[1] for less, more in pairwise(in_order) if less[0] < more[0])


@METHODS
@given(weights=shapes(), total=st.integers(0, MAX_PARENT_WH))
def test_issued_on_what_is_left_no_hour_exceeds_its_meter(method, weights, total):
    metered = sum(weights)
    total = min(total, metered)
    hours = method([total], weights)[0]
    assert all(hour <= meter for hour, meter in zip(hours, weights, strict=True))


@METHODS
def test_a_profile_that_sums_to_the_total_is_returned_unchanged(method):
    weights = [5, 0, 7, 1, 2**51 - 13]
    assert method([2**51], weights) == [weights]


def test_methods_differ_where_they_should():
    assert cumulative([2], [1, 1, 1]) == [[0, 1, 1]]
    assert largest_remainder([2], [1, 1, 1]) == [[1, 1, 0]]


@METHODS
def test_no_totals_and_no_hours_are_no_work(method):
    assert method([], [1, 2]) == []
    assert method([0], [4]) == [[0]]


def test_rows_do_not_touch_one_another():
    totals, weights = [9, 1, 10**15], [3, 1, 0, 2]
    for method in (cumulative, largest_remainder):
        assert method(totals, weights) == [method([total], weights)[0] for total in totals]


@pytest.mark.parametrize("name", ["cumulative", "largest_remainder"])
def test_kernels_never_hold_energy_in_a_float(name):
    """What is put into the output is an integer before the output's type could make it one."""
    function = getattr(apportion, name)
    plain = function.__wrapped__
    out = np.empty((1, 3), dtype=object)
    weights = np.array([3, 1, 2], dtype=np.int64)
    if name == "cumulative":
        result = plain(np.array([0, 3, 4, 6], dtype=np.int64), np.array([100], dtype=np.int64), out)
    else:
        rests = np.empty(3, dtype=object)
        result = plain(weights, np.int64(6), np.array([100], dtype=np.int64), rests, out)
        assert all(isinstance(rest, int | np.integer) for rest in rests)
    assert result is None
    assert sum(out[0]) == 100
    assert all(isinstance(value, int | np.integer) for value in out[0])
