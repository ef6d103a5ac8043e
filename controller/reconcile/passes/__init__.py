"""One pass over one object: the loop, the port of a life-cycle, and what an end means for the queue."""
