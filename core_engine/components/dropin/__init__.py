"""Components of others: folders that a person drops in or installs, never imported by the engine, always isolated.

The engine reads their manifest and nothing else; their code runs in the locked children of `isolation`.
"""
