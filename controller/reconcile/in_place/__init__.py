"""The life-cycle of resources that AWS updates in place: the model registry and pipelines."""
