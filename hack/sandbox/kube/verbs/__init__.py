"""The verbs that all resources share: get, list, create, update, patch, delete, watch."""
