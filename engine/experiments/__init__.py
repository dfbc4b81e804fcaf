"""One readable file per method, in folders named as the tabs."""
