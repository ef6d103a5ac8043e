"""`--check-aws`: checks beforehand which of the rights that the operator needs its identities have at AWS."""
