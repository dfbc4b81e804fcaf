"""What the class looks at."""
