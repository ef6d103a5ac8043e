"""What all operations share: records of resources, timelines, validation, lists, tags and triggers."""
