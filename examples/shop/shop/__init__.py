"""A small shop of nine services, run as real processes, that can be made to break."""
