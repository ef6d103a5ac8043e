"""Decides how many List pages a sweep is worth: for what stands further down, a Describe each is cheaper. Pure.

A sweep reads a List newest creation first. Its cost must not depend on the account's past (`LastModifiedTimeAfter` and
the other filters apply after a page was cut, so they save nothing), only on what the operator follows.
"""

from collections import Counter
from collections.abc import Collection


def pages_worth_reading(depths: Collection[int]) -> int:
    """Return the number of pages, at least 1, that makes pages plus Describes fewest; of equals the smallest.

    `depths` has the page (from 1) of every followed job: where it was last seen, or the least page where it can be.
    Jobs further down than the result cost one Describe each. The first page is read in any case: it is where new jobs
    appear. So a sweep costs at most one call more than the better of "list down to the oldest" and "describe each".
    """
    jobs_on = Counter(depths)
    below = len(depths) - jobs_on.pop(1, 0)
    best, least = 1, 1 + below
    for depth in sorted(jobs_on):
        below -= jobs_on[depth]
        if depth + below < least:
            best, least = depth, depth + below
    return best
