"""The parts of an informer: reflector, indexed store, and delivery of changes to handlers."""
