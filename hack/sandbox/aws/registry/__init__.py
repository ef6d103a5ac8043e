"""The model registry: groups, and packages that are versions of them."""
