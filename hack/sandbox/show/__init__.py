"""Shows the objects of `run`: rows of the objects, their layout, and the views for terminals and files."""
