"""What objects show: conditions, v1 fields, messages, and the smallest patch that writes them."""
