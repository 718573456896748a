"""What the engine tells about its work: figures for Prometheus, spans for OpenTelemetry."""
