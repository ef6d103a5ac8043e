"""Endpoints, their scaling and invocation, and the operations of models and configurations."""
