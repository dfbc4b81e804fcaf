"""The half of Latentarium that shows. It never imports torch."""
