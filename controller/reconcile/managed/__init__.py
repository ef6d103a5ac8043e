"""The object of a pass: what is observed of it, as whom AWS is called, and the writes made to it."""
