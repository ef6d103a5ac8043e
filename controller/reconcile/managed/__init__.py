"""The object of a pass: its observation, its AWS identity, and the writes made to it."""
