"""Asking language models over any endpoint that speaks the OpenAI API: settings, limits, costs, one client."""
