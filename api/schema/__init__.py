"""CRDs and their OpenAPI schemas, generated from descriptors and AWS service models."""
