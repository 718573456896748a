"""Runs code of others in processes that can reach nothing: no files to write, no network, no other process.

Every child process locks itself with Landlock and seccomp before it reads a byte of foreign code; where bubblewrap
works it is put into namespaces of its own as well. Where neither is to be had, nothing is run.
"""
