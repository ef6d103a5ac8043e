"""Explores all interleavings of a life-cycle with what can happen around it: `docs/design/explorer.md`."""
