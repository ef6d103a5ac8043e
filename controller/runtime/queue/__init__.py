"""The work queue: deduplicated keys with delays, priorities, rate limits and metrics."""
