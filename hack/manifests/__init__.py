"""Writes the manifests that are derived: roles, release files, charts, dashboard, IAM policies."""
