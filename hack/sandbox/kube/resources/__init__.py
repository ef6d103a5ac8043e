"""What a resource is: names, verbs, strategy, metadata rules and field managers."""
