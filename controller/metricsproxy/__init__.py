"""The metrics front end: HTTPS for `/metrics`, for callers that the API server authenticates and authorizes.

A separate process, the pod's second container, so that the manager keeps its metrics on loopback and needs no TLS.
"""
