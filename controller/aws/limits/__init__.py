"""Limits how many AWS calls are sent, and when: budgets, token buckets and the adaptive rate."""
