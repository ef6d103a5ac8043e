"""Makes the environments of this repository from its lock files; imports the standard library only."""
