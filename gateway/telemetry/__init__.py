"""What the gateway tells about its work: figures for Prometheus."""
