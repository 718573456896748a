"""What steps are made of: the components, where their files may be, and the walls around code of others."""
