"""What a locked child can do: one module for each kind of foreign code."""
