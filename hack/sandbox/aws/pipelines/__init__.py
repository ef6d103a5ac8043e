"""Pipelines and their executions: a definition, and the jobs that its steps become, in their order."""
