"""Orders, sellables and entitlements under /v1."""
