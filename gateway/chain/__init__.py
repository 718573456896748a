"""EVM chains as the gateway sees them: plain JSON-RPC, no key and no signing library in this process."""
