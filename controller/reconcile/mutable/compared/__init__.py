"""Kinds of which Describe shows all that was asked for: the whole spec is compared with AWS."""
