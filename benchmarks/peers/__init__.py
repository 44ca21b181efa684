"""The same problems and networks in other libraries."""
