"""A sample of `make every-property ARGS=--over-http`: requests of kubectl, a real operator, SageMaker over HTTP."""

import pytest

from tests.every_property.runs import play_over_http, report

pytestmark = pytest.mark.sandbox

PLAYED = ("BatchTransformJob", "spec.batchStrategy")
"""Created, edited and edited back, given values to refuse, deleted. Its kind's manifest is the smallest."""


def test_a_property_goes_through_processes_to_aws_and_back() -> None:
    """The judge is that of the run in one thread; nothing else is."""
    (outcome,) = play_over_http([PLAYED], seed=1)
    assert [report(each) for each in outcome.violations] == []
    assert outcome.accepted
    assert outcome.edits
    assert outcome.refused
