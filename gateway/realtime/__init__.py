"""Sockets: the engines' links and the GUIs, who is present, and who is told what (protocol §3)."""
