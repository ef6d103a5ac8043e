"""From HTTP requests to verbs and back: paths, messages, discovery, OpenAPI, faults."""
