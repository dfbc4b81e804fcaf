"""The half of Latentarium that learns. It never imports Qt or ``desktop``."""
