"""The AWS side: clients, error classes, budgets, tracker, names and ownership."""
