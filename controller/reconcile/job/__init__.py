"""The life-cycle of jobs: created once, followed to their end, stopped when their object is deleted."""
