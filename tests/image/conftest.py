"""What the tests of an image share with those of the sandbox."""

from tests.sandbox.conftest import manifest

__all__ = ["manifest"]
