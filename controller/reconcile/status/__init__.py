"""The status of objects: conditions, v1 fields, messages, and the smallest patch that writes them."""
