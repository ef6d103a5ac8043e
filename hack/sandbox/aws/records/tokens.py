"""How long client tokens are remembered."""

from typing import Final

TOKEN_LIFE_S: Final = 28_800.0
"""AWS says so of other services: 8 hours."""
