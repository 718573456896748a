"""How an installation without a token gets one from its owner's browser."""
