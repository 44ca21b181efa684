"""The user's own files: one file per mode that reads or writes them."""
