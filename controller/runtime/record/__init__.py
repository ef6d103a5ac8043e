"""Kubernetes Events: values, correlation, and the recorder that writes them."""
