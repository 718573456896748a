"""Signed messages: how they are written, recovered and refused. Pure: no I/O and no clock of its own."""
