"""Break each safety rule in turn and see a named test fail: `python -m tests.mutation`, or `make mutation`."""
