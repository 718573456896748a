"""Starts gateway and engine as child processes, keeps them running and stops them."""
