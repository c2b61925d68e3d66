"""OpenTelemetry's spans of generative AI, read as messages, whatever convention they follow."""
