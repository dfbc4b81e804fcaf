"""What the lecturer touches."""
