"""Polls SageMaker's List APIs for changes and enqueues the affected keys."""
