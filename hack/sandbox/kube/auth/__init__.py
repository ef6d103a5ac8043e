"""RBAC, service account tokens, and access reviews."""
