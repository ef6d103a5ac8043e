"""Jobs of all kinds: their operations, the courses they take, and what Describe and List return."""
