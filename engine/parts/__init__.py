"""Fast or shared pieces that are not themselves being taught."""
