"""Decisions and their effects: a pure `decide()` per life-cycle, one loop, and one gate for every effect.

Comments cite pages of docs/design: `D-nn` known-defects.md, rows and sections of v1-kinds.md, modern-expectations.md,
and DESIGN, which is design.md.
"""
