"""The machinery every experiment runs on."""
