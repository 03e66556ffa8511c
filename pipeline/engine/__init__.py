"""The engines: one configuration in, its recorded variables out."""
