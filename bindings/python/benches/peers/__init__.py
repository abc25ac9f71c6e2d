"""Ommi beside other mappers and drivers of Python, in one run: `dev/bench --python`."""
