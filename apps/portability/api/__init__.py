"""/v1: packages in and out, and the platform's catalog."""
