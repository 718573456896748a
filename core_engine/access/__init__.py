"""Who may do what on this engine; decided here and nowhere else."""
