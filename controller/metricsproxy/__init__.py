"""The metrics front end: HTTPS for `/metrics`, for callers that the API server authenticates and authorizes.

A process of its own, the pod's second container, so that the manager keeps its metrics on loopback and knows no TLS.
"""
