"""Decisions and their effects: a pure `decide()` per life-cycle, one loop, and one gate for every effect."""
