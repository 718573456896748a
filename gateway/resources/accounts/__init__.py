"""Accounts: an identity is a wallet address."""
