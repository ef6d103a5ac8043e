"""Fakes shared by the tests: small, honest implementations of the ports."""

from tests.fakes.api import Answers
from tests.fakes.clock import FakeClock

__all__ = ["Answers", "FakeClock"]
