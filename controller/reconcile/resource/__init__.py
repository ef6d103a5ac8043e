"""The life-cycle of models and endpoint configurations: replaced, never updated."""
