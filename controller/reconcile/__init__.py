"""Decisions and their effects: pure `decide()` per life-cycle, one executor, one shell for all kinds."""
