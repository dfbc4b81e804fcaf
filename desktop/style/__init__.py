"""All colours, sizes and icons."""
