"""What a real SageMaker does to its callers that a friendly one does not: kinds of faults, refusals, new roles."""
