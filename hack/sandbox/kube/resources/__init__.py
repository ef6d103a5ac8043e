"""Resources: names, verbs, strategy, metadata rules and field managers."""
