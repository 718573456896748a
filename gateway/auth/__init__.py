"""Who is asking: wallets, engines and the service key. None of it depends on the address a request comes from."""
