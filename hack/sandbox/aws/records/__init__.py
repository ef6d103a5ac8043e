"""Shared by all operations: records of resources, timelines, validation, lists, tags and triggers."""
