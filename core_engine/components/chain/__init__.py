"""EVM chains: one guarded JSON-RPC client, the contract ABI, and a signer that runs outside the engine."""
