"""Components that operators switched off on every engine of this gateway."""
