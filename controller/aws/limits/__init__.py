"""How many AWS calls may go out, and when: budgets, token buckets and the adaptive rate."""
