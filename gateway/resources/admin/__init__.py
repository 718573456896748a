"""What operators may do: the addresses in `GATEWAY_ADMINS`."""
