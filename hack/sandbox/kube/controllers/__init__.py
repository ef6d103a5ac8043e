"""Controllers that run in the server: garbage collector and namespaces."""
