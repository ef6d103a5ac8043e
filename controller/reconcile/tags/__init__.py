"""Tags of resources that exist already: decided from spec and account, then added or removed."""
