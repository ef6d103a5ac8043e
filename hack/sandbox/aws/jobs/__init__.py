"""Jobs of all kinds: their operations, their timelines, and the responses of Describe and List."""
