"""One pass over one object: the loop, the port of a life-cycle, and the outcome for the work queue."""
