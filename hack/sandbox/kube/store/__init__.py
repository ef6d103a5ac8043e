"""One revisioned log in memory, and its snapshot as a file."""
