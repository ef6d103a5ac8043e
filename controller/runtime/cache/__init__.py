"""The informer's parts: reflector, store with indexes, and delivery of changes to handlers."""
