"""The gateway: the public, light part. It knows identities and engines and never stores workflow data."""
