"""The Kubernetes API: client, typed errors, and adapters for the ports that `runtime` declares."""
