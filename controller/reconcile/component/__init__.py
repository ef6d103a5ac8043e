"""The life-cycle of an InferenceComponent: runs on another object's endpoint, and is updated in place."""
