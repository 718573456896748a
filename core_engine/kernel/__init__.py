"""The words that workflow, components and storage share; no behaviour of its own."""
