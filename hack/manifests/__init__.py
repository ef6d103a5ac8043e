"""Generates manifests: roles, release files, charts, dashboard, IAM policies."""
