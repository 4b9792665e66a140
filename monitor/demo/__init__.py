"""A bundled scenario that plays through the real pipeline on loopback."""
