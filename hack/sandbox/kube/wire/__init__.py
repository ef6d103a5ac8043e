"""Values on the wire: JSON and YAML, errors, options, names and selectors. Imports none of the other folders."""
