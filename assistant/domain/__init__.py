"""What incidents are made of: frozen values, no I/O."""
