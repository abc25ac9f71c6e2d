"""The drivers that Ommi comes with."""
