"""One short declaration per tab."""
