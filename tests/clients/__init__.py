"""Clients by others at work on the sandbox and on our kinds: `make test-clients`."""
