"""The built-in kinds of the embedded API server: what an operator's install manifest and Helm need."""
